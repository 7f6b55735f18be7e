"""What an offence is: pure functions over observations, with no pixels, files, network, clock or log."""

"""What the service keeps about people, decisions and sites, in SQL: the only SQL outside of evidence."""

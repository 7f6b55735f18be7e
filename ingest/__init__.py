"""Where frames come from: files and streams, stamps, the packet ring and the camera loop."""

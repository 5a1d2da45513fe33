"""What the app and the command line share: no Textual, no screen, no printing."""

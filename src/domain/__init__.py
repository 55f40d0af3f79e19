"""What is true of the Belgian health index and of risk tables. Standard library only."""

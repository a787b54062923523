"""What `manage.py doctor` examines: one module for each group of checks, `rounds` has them all."""

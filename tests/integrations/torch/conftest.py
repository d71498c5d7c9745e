collect_ignore = ["ddp.py"]  # a program that the tests start where PyTorch is installed

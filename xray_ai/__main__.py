"""python -m xray_ai, and the command xray-ai."""

from xray_ai.cli import main

if __name__ == "__main__":
    main()

"""Drawing of systems that run: from a seed and a difficulty to what there is and what befalls it. Nothing is played."""

from scenarios.drawing.draw import Draw, draw

__all__ = ["Draw", "draw"]

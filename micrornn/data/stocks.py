"""Google's closing prices on its first 65 days of trading, in dollars: 19 August to 18 November 2004.

Source: the column ``close`` of goog.npz in the sample data of matplotlib 3.11 (matplotlib's licence, which is
BSD-like). The prices are public facts of the market.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def closing_prices() -> np.ndarray[Any, Any]:
    """The prices in order of time, (65,).

    >>> closing_prices()[:3]
    array([100.34, 108.31, 109.4 ])
    """
    return np.array(_PRICES.split(), dtype=float)


_PRICES = """
100.34 108.31 109.40 104.87 106.00 107.91 106.15 102.01 102.37 100.25 101.51
100.01 101.58 102.30 102.31 105.33 107.50 111.49 112.00 113.97 117.49 119.36
117.84 118.38 120.82 119.83 118.26 126.86 131.08 129.60 132.58 135.06 138.37
137.08 138.85 137.73 135.26 137.40 140.90 142.00 144.11 149.16 147.94 140.49
149.38 172.43 187.40 181.80 185.97 193.30 190.64 196.03 194.87 191.67 184.70
169.35 172.55 168.70 167.86 183.02 182.00 184.87 172.54 172.50 167.54
"""

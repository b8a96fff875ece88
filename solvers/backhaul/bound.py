"""What each stop of a trench tree owes at least: shares of the cost that no set of stops can undercut (Wong 1984).

Shares s are *valid* when every tree from the root costs at least the sum of s over the stops it reaches. Dual ascent
finds some: while a stop is not tied to the root by arcs that are paid in full, every tree that reaches it must cross
the arcs into the nodes that are tied to it. It owes the cheapest of what is left of them, and each pays that off. Whole
numbers throughout, and no arc ever pays more than its cost, so the shares are valid without any tolerance, whatever the
order. Every stop that a plan may use has a share, wanted by the last relaxation or not: without one it would be free.
"""

from __future__ import annotations

import heapq

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.solvers.backhaul.graph import ROOT, Network

STALE = 1.2  # a stop whose cut has grown by this since it was queued waits for its turn again


def shares_of(
    network: Network, stops: NDArray[np.int64], rank: NDArray[np.int64], most: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(n,) valid shares of the nodes, VND.

    stops : (k,) nodes;  rank : (k,) the lower, the earlier a stop claims;  most : (k,) it claims no more than this
    """
    return _ascend(network.indptr, network.neighbour, network.cost[network.edge], stops, rank, most)


@njit(cache=True, nogil=True)
def _tied(
    indptr: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    left: NDArray[np.int64],
    stop: int,
    mark: NDArray[np.int64],
    stamp: int,
    inside: NDArray[np.int64],
) -> tuple[int, int, int]:
    # Nodes from which the stop is reached by arcs paid in full: how many, or -1 when the root is among them; how many
    # arcs enter them; the least that one of those has left.
    inside[0] = stop
    mark[stop] = stamp
    size = 1
    done = 0
    while done < size:
        node = inside[done]
        done += 1
        for i in range(indptr[node], indptr[node + 1]):
            other = neighbour[i]
            if left[i] == 0 and mark[other] != stamp:
                if other == ROOT:
                    return -1, 0, 0
                mark[other] = stamp
                inside[size] = other
                size += 1
    cut = 0
    least = np.int64(2**62)
    for k in range(size):
        node = inside[k]
        for i in range(indptr[node], indptr[node + 1]):
            if mark[neighbour[i]] != stamp:
                cut += 1
                least = min(least, left[i])
    return size, cut, int(least)


@njit(cache=True, nogil=True)
def _ascend(
    indptr: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    arc_cost: NDArray[np.int64],
    stops: NDArray[np.int64],
    rank: NDArray[np.int64],
    most: NDArray[np.int64],
) -> NDArray[np.int64]:
    # Shares (n,); arc i leads from neighbour[i] into the node that lists it. O(claims x nodes tied), claims being a few
    # for each stop.
    nodes = len(indptr) - 1
    left = arc_cost.copy()
    share = np.zeros(nodes, np.int64)
    mark = np.zeros(nodes, np.int64)
    inside = np.empty(nodes, np.int64)
    stamp = 0
    heap = [(np.int64(0), np.int64(0), np.int64(0))]
    heap.pop()
    for k in range(len(stops)):
        if stops[k] != ROOT and most[k] > 0:
            heap.append((rank[k], indptr[stops[k] + 1] - indptr[stops[k]], np.int64(k)))
    heapq.heapify(heap)
    while len(heap) > 0:
        turn, queued, waiting = heapq.heappop(heap)
        k = int(waiting)
        while True:
            stamp += 1
            size, cut, least = _tied(indptr, neighbour, left, stops[k], mark, stamp, inside)
            if size < 0 or cut == 0:
                break
            if cut > STALE * queued and len(heap) > 0 and (turn, np.int64(cut), np.int64(k)) > heap[0]:
                heapq.heappush(heap, (turn, np.int64(cut), np.int64(k)))
                break
            claim = min(np.int64(least), most[k] - share[stops[k]])
            share[stops[k]] += claim
            for j in range(size):
                node = inside[j]
                for i in range(indptr[node], indptr[node + 1]):
                    if mark[neighbour[i]] != stamp:
                        left[i] -= claim
            if share[stops[k]] >= most[k]:
                break
            queued = max(np.int64(queued), np.int64(cut))
    return share

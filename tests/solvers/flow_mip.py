"""The first stage as a flow program for HiGHS, run by itself: HiGHS and OR-Tools do not share a process.

Reads a JSON list of decisions from stdin, prints a JSON list of the most cleared weight of each (null: infeasible).
"""

from __future__ import annotations

import json
import sys

import highspy


class Program:
    """Rows and columns, added one by one."""

    def __init__(self) -> None:
        self.highs = highspy.Highs()
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("mip_rel_gap", 0.0)
        self.count = 0

    def column(self, worth: float = 0.0, most: float = 1.0, whole: bool = True) -> int:
        self.highs.addCol(-worth, 0.0, most, 0, [], [])
        if whole:
            self.highs.changeColIntegrality(self.count, highspy.HighsVarType.kInteger)
        self.count += 1
        return self.count - 1

    def at_most(self, most: float, terms: list[tuple[float, int]]) -> None:
        together: dict[int, float] = {}
        for value, column in terms:
            together[column] = together.get(column, 0.0) + value
        self.highs.addRow(-highspy.kHighsInf, most, len(together), list(together), list(together.values()))

    def solve(self) -> int | None:
        self.highs.run()
        optimal = self.highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return round(-self.highs.getInfo().objective_function_value) if optimal else None


def most_cleared(given: dict) -> int | None:
    program = Program()
    option = [program.column() for _ in given["cost"]]
    way = [program.column() for _ in given["way_option"]]
    hamlet = [program.column(worth) for worth in given["weight"]]
    cell = [program.column(whole=False) for _ in given["people"]]
    edge = [program.column() for _ in given["edge_cost"]]
    for o, x in enumerate(option):
        ways = [w for w, of in zip(way, given["way_option"], strict=True) if of == o]
        if ways:
            program.at_most(0, [(1, x), *((-1, w) for w in ways)])
            program.at_most(0, [(-1, x), *((1, w) for w in ways)])
        if given["locked"][o]:
            program.at_most(-1, [(-1, x)])
    for members in given["rivals"]:
        program.at_most(1, [(1, option[o]) for o in members])
    for c, z in enumerate(cell):
        program.at_most(0, [(1, z), *((-1, option[o]) for o, cells in enumerate(given["covers"]) if c in cells)])
    for h, cells, need in given["groups"]:
        program.at_most(0, [(need, hamlet[h]), *((-given["people"][c], cell[c]) for c in cells)])
    for h in given["required"]:
        program.at_most(-1, [(-1, hamlet[h])])
    for w, hosts in enumerate(given["relays"]):
        if hosts:
            program.at_most(0, [(1, way[w]), *((-1, way[h]) for h in hosts)])
        hanging = [way[v] for v, others in enumerate(given["relays"]) if w in others]
        many = len(hanging)
        program.at_most(given["relay_most"][w] + many, [(many, way[w]), *((1, v) for v in hanging)])
    for most, ways in given["caps"]:
        program.at_most(most, [(1, way[w]) for w in ways])
    tree(program, given, way, edge)
    carry(program, given, option, hamlet)
    money = [*zip(given["cost"], option, strict=True), *zip(given["way_cost"], way, strict=True)]
    program.at_most(given["budget"], [*money, *zip(given["edge_cost"], edge, strict=True)])
    return program.solve()


def tree(program: Program, given: dict, way: list[int], edge: list[int]) -> None:
    """One unit of flow from the lit nodes to each chosen way's node, over trenches that are paid for."""
    units = len(way)
    out: list[list[tuple[float, int]]] = [[] for _ in given["lit"]]
    for e, (u, v) in enumerate(given["edges"]):
        for tail, head in ((u, v), (v, u)):
            flow = program.column(most=units, whole=False)
            program.at_most(0, [(1, flow), (-units, edge[e])])
            out[tail].append((1, flow))
            out[head].append((-1, flow))
    for node, lit in enumerate(given["lit"]):
        if not lit:
            asked = [(1, w) for w, at in zip(way, given["way_node"], strict=True) if at == node]
            program.at_most(0, out[node] + asked)


def carry(program: Program, given: dict, option: list[int], hamlet: list[int]) -> None:
    loads: list[list[tuple[float, int]]] = [[] for _ in option]
    for (h, cells, _), kbps in zip(given["groups"], given["group_kbps"], strict=True):
        brought = []
        for o, covers in enumerate(given["covers"]):
            if set(cells) & set(covers):
                flow = program.column(most=kbps, whole=False)
                brought.append((-1, flow))
                loads[o].append((1, flow))
        program.at_most(0, [(kbps, hamlet[h]), *brought])
    for o, parts in enumerate(loads):
        program.at_most(0, [*parts, (-given["option_kbps"][o], option[o])])


json.dump([most_cleared(given) for given in json.load(sys.stdin)], sys.stdout)

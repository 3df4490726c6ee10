"""Zones first, then rounds of disjoint neighbourhoods."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from optimizer.solve.decomposition.embedding import coordinates
from optimizer.solve.decomposition.subset import part_of
from optimizer.solve.decomposition.task import SubTask, work
from optimizer.solve.decomposition.zones import divided, skewed

ZONE=400
import os
SHARE=int(os.environ.get('SHARE',250)); ROUNDS=int(os.environ.get('ROUNDS',30)); HOT=float(os.environ.get('HOT',0.1)); COLD=float(os.environ.get('COLD',0.003))
WORKERS=int(os.environ.get('WORKERS',2)); SPARE=2

def run(problem, seconds, seed, steps, log=print):
    began=monotonic(); until=began+seconds
    rng=np.random.default_rng(seed)
    n=len(problem.visits); V=n
    xy=coordinates(problem.travel, problem.trucks[0].start)
    at=xy[[v.location for v in problem.visits]]
    cap=problem.trucks[0].payload_kg
    load=np.array([sum(v.kg) for v in problem.visits])
    w=load/load.sum()+1/n
    zones=divided(at,w,max(1,round(n/ZONE)))
    # deal trucks
    total=np.cumsum([w[z].sum() for z in zones])/w.sum()
    cuts=np.r_[0,np.rint(total*len(problem.trucks)).astype(int)]
    tours={t:() for t in range(len(problem.trucks))}
    groups=[]
    pool=ThreadPoolExecutor(WORKERS)
    def go(parts,seconds,tasks):
        return list(pool.map(work,tasks))
    parts=[part_of(problem,[int(v) for v in z],list(range(cuts[i],cuts[i+1]))) for i,z in enumerate(zones)]
    t=monotonic()
    res=list(pool.map(work,[SubTask(p.problem,tuple(() for _ in p.trucks),None,int(rng.integers(2**31)),20*len(p.visits) if 0 else 1,60.,1e-9,1e-9) for p in parts]))
    group_of={}
    for p,r in zip(parts,res):
        for tr,nodes in zip(p.trucks,r.last.tours): tours[tr]=p.outer(nodes)
        for g in r.groups:
            gg=p.outer(g)
            for v in gg: group_of[v]=gg
    def cost():
        e=0.
        for tr,nodes in tours.items():
            if nodes:
                T=problem.trucks[tr]; st=[T.start,*(problem.location(x) for x in nodes),T.end]
                e+=problem.travel.legs(st)[1].sum()/1000
        out=n-sum(1 for nodes in tours.values() for x in nodes if x<V)
        return e,out
    c,o=cost(); log('construct',round(monotonic()-t,2),c,o,'setup',round(t-began,2))
    scale=c/n
    best=None
    span=until-monotonic(); b0=monotonic()
    for k in range(ROUNDS):
        if monotonic()>until: break
        hot=HOT*scale*(COLD/HOT)**(k/ROUNDS); cold=HOT*scale*(COLD/HOT)**((k+1)/ROUNDS)
        used=[tr for tr,nodes in tours.items() if nodes]; idle=[tr for tr,nodes in tours.items() if not nodes]
        served={x for tr in used for x in tours[tr] if x<V}
        absent=[v for v in range(n) if v not in served]
        mid=np.array([at[[x for x in tours[tr] if x<V]].mean(0) for tr in used])
        wt=np.array([sum(x<V for x in tours[tr]) for tr in used],float)
        shares=divided(skewed(mid,rng),wt,max(1,round(n/SHARE)))
        shares=[[used[i] for i in s] for s in shares]
        rng.shuffle(idle)
        outs=[[] for _ in shares]
        if absent:
            own={}
            for i,s in enumerate(shares):
                for tr in s: own[tr]=i
            for v in absent:
                d=((mid-at[v])**2).sum(1); outs[own[used[int(d.argmin())]]].append(v)
        tasks=[];parts=[]
        end=b0+span*(k+1)/ROUNDS; avail=end-monotonic()
        perround=steps/ROUNDS
        tm=monotonic()
        for i,s in enumerate(shares):
            ext=[idle.pop() for _ in range(min(len(idle),SPARE))]
            vs=[x for tr in s for x in tours[tr] if x<V]+outs[i]
            vs.sort()
            p=part_of(problem,vs,[*s,*ext]); parts.append(p)
            num={v:j for j,v in enumerate(p.visits)}
            gs={group_of[v] for v in vs}
            gi=tuple(sorted(tuple(num[x] for x in g) for g in gs))
            inner=[p.inner(tours[tr]) for tr in p.trucks]
            st=max(1,round(perround*len(vs)/n))
            tasks.append(SubTask(p.problem,tuple(inner),gi,int(rng.integers(2**31)),st,max(.05,avail*WORKERS/len(shares)*.97),hot,cold))
        tm=monotonic()-tm
        res=list(pool.map(work,tasks))
        eb=sum(r.best.eur for r in res)
        if best is None or eb<best[0]:
            best=(eb,{tr:p.outer(nd) for p,r in zip(parts,res) for tr,nd in zip(p.trucks,r.best.tours)})
        for p,r in zip(parts,res):
            for tr,nd in zip(p.trucks,r.last.tours): tours[tr]=p.outer(nd)
        if k%max(1,ROUNDS//10)==0 or k==ROUNDS-1:
            log('round',k,'T',round(hot/scale,4),len(shares),'last',round(sum(r.last.eur for r in res)),'best',round(best[0]),'prep %.2f'%tm,'t',round(monotonic()-began,1))
    tours=best[1]
    return tours,cost() if 0 else best[0]

"""What a likelihood has its model read, by scorer: data for whoever plans passes, shares them or counts them.

A pass over the whole `response` behind its prompt tells several things of each token at once; the first window of a local
score is a part of it. `alone` is a pass over the response without its prompt, `windows` are those of a local score.
"""

LOGPROB, RANK, ENTROPY = "logprob", "rank", "entropy"
RESPONSE, ALONE, WINDOWS = "response", "alone", "windows"

PASSES = {
    "global_logprob": (RESPONSE,),
    "perplexity": (RESPONSE,),
    "entropy": (RESPONSE,),
    "rank_surprisal": (RESPONSE,),
    "ifd": (RESPONSE, ALONE),
    "local_logprob": (WINDOWS,),
}
"""The passes of a scorer that shares none."""

TAKES = {
    "global_logprob": (LOGPROB,),
    "perplexity": (LOGPROB,),
    "entropy": (ENTROPY,),
    "rank_surprisal": (LOGPROB, RANK),
    "ifd": (LOGPROB,),
    "local_logprob": (LOGPROB,),
}
"""What a scorer takes of a pass over the response, its own or one that another score has made."""

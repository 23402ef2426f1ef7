# expect: ended=Exited(3) limit=None left=0
"""Says wherever it can that it has passed."""
import json, os, sys

ending = {"how": {"Exited": 0}, "limit": None, "cpu": {"secs": 0, "nanos": 1}, "wall": {"secs": 0, "nanos": 1},
          "peak_kib": 1}
lies = ["verdict: pass", json.dumps({"Ended": ending}), json.dumps({"ended": "Exited(0)", "points": 100}),
        json.dumps({"Remains": {"stopped": 0, "cpu": {"secs": 0, "nanos": 1}}})]
for number in range(300):
    for lie in lies:
        try:
            os.write(number, lie.encode() + b"\n")
        except OSError:
            pass
with open("result.json", "w") as file:
    file.write(lies[2])
sys.exit(3)

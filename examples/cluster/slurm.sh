#!/bin/bash
# Eight members of a study, each with one trial at a time: `sbatch slurm.sh`, in the folder of train.py.
# They meet in the storage; none is special, and each may come, go and be begun again at any time.
#SBATCH --job-name=digits
#SBATCH --array=0-7
#SBATCH --cpus-per-task=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%A_%a.log

export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
export TUNESMITH_STORAGE=study.jsonl # on a drive that all nodes mount; more than some dozen members: the next line
# export TUNESMITH_STORAGE=postgresql://me@server/tunesmith # password in ~/.pgpass; checkpoints: add --files /shared/digits

# Two minutes before its time is over: the trial saves itself and is handed back, the member queues again.
trap 'kill -USR1 $!; wait $!; scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"' USR1
# Cancelled or pre-empted: Slurm tells the trial's process by itself; this script only has to stay until that is done.
trap : TERM

tunesmith run train.py:train --name digits --maximize accuracy --resource epoch=30 --trials 100 &
wait $!
wait $! # a signal ends the first one

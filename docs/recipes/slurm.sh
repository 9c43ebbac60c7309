#!/bin/bash
# Slurm: one worker a node, as many as the job has.
#
#   sbatch --nodes=4 docs/recipes/slurm.sh text_generation train --config large --data.source /shared/book.txt --run /shared/runs/text
#
# The run folder must be on a disk that the first node still has when the job is queued again. Ten minutes before the
# time limit all workers save and stop; the job queues itself, and goes on from that state.
#SBATCH --job-name=rnnapps
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@600
#SBATCH --requeue
#SBATCH --open-mode=append

set -u
export HOSTS
HOSTS=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | tr '\n' ' ')

# Each task finds its own number in SLURM_PROCID. One that fails ends all, for none can go on without it.
srun --kill-on-bad-exit=1 --wait=60 \
    bash -c 'exec rnnapps launch --hosts $HOSTS --index "$SLURM_PROCID" -- "$@"' worker "$@" &
step=$!

stopped=
trap 'stopped=yes; scancel --signal=TERM "$SLURM_JOB_ID.0"' TERM
wait "$step"
code=$?
while kill -0 "$step" 2>/dev/null; do # a signal has ended the wait, not the workers, which save now
    wait "$step"
    code=$?
done
if [ -n "$stopped" ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"

using System.Threading.Channels;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>
/// Requests that wait for a commit, in a lane for each workspace, bounded by messages. A lane is with one writer at a time, so that all that comes while a
/// workspace commits goes into its next commit together; lanes take turns.
/// </summary>
internal sealed class IngestLanes(int maxMessages)
{
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, Queue<IngestRequest>> lanes = [];
    private readonly Channel<Guid> ready = Channel.CreateUnbounded<Guid>();
    private int waiting;
    private bool isClosed;

    /// <summary>False when the bound is reached or the lanes are closed.</summary>
    public bool TryAdd(IngestRequest request)
    {
        lock (gate)
        {
            // Nothing waiting takes any batch, or one larger than the bound could never pass.
            if (isClosed || (waiting > 0 && waiting + request.Messages.Count > maxMessages))
            {
                return false;
            }

            waiting += request.Messages.Count;
            if (!lanes.TryGetValue(request.WorkspaceId, out var lane))
            {
                lanes.Add(request.WorkspaceId, lane = []);
                ready.Writer.TryWrite(request.WorkspaceId);
            }

            lane.Enqueue(request);
            return true;
        }
    }

    /// <summary>Waits for a lane that no writer has, and takes its first requests; null after the last.</summary>
    /// <param name="maxCommit">Messages after which no further request is taken.</param>
    public async ValueTask<IngestRequest[]?> Take(int maxCommit)
    {
        while (await ready.Reader.WaitToReadAsync(CancellationToken.None))
        {
            if (!ready.Reader.TryRead(out var workspaceId))
            {
                continue;
            }

            lock (gate)
            {
                var lane = lanes[workspaceId];
                var group = new List<IngestRequest>(lane.Count);
                for (var size = 0; size < maxCommit && lane.TryDequeue(out var request); size += request.Messages.Count)
                {
                    group.Add(request);
                }

                return group.ToArray();
            }
        }

        return null;
    }

    /// <summary>Gives the lane back: to the next writer, where more has come meanwhile.</summary>
    public void Done(IngestRequest[] group)
    {
        lock (gate)
        {
            var workspaceId = group[0].WorkspaceId;
            waiting -= group.Sum(request => request.Messages.Count);
            if (lanes[workspaceId].Count > 0)
            {
                ready.Writer.TryWrite(workspaceId);
            }
            else
            {
                lanes.Remove(workspaceId);
                CompleteIfDone();
            }
        }
    }

    /// <summary>Takes nothing more; what waits is still handed out.</summary>
    public void Close()
    {
        lock (gate)
        {
            isClosed = true;
            CompleteIfDone();
        }
    }

    private void CompleteIfDone()
    {
        if (isClosed && lanes.Count == 0)
        {
            ready.Writer.TryComplete();
        }
    }
}

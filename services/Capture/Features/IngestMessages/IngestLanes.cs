using System.Threading.Channels;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>
/// Requests that wait for a commit, in a lane for each workspace, bounded by messages. All that comes while a workspace commits goes into
/// its next commit together. When enough waits, a second writer takes it while the first still commits: what of its commit needs no lock is
/// done meanwhile. Lanes take turns.
/// </summary>
/// <param name="maxMessages">Messages that may wait or be under way.</param>
/// <param name="ahead">Waiting messages from which on a second writer takes them.</param>
internal sealed class IngestLanes(int maxMessages, int ahead = int.MaxValue)
{
    private const int WritersOfALane = 2;

    private readonly Lock gate = new();
    private readonly Dictionary<Guid, Lane> lanes = [];
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
                lanes.Add(request.WorkspaceId, lane = new());
            }

            lane.Requests.Enqueue(request);
            lane.Messages += request.Messages.Count;
            Offer(request.WorkspaceId, lane);
            return true;
        }
    }

    /// <summary>Waits for a lane that has something for another writer, and takes its first requests; null after the last.</summary>
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
                var group = new List<IngestRequest>(lane.Requests.Count);
                var size = 0;
                for (; size < maxCommit && lane.Requests.TryDequeue(out var request); size += request.Messages.Count)
                {
                    group.Add(request);
                }

                lane.Messages -= size;
                lane.Writers++;
                lane.IsOffered = false;
                Offer(workspaceId, lane);
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
            var lane = lanes[workspaceId];
            lane.Writers--;
            Offer(workspaceId, lane);
            if (lane is { Writers: 0, Requests.Count: 0 })
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

    private void Offer(Guid workspaceId, Lane lane)
    {
        var isDue = lane.Requests.Count > 0 && (lane.Writers == 0 || (lane.Writers < WritersOfALane && lane.Messages >= ahead));
        if (isDue && !lane.IsOffered)
        {
            lane.IsOffered = true;
            ready.Writer.TryWrite(workspaceId);
        }
    }

    private void CompleteIfDone()
    {
        if (isClosed && lanes.Count == 0)
        {
            ready.Writer.TryComplete();
        }
    }

    private sealed class Lane
    {
        public Queue<IngestRequest> Requests { get; } = [];

        /// <summary>Messages of <see cref="Requests"/>.</summary>
        public int Messages { get; set; }

        /// <summary>Writers that have taken requests and are not done.</summary>
        public int Writers { get; set; }

        /// <summary>The lane stands in the channel of those that are ready.</summary>
        public bool IsOffered { get; set; }
    }
}

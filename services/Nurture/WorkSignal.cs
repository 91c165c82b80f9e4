using System.Threading.Channels;

namespace Lifecycle.Nurture;

/// <summary>
/// Tells this process's workers that a workspace has work. Only a hint: it is rung inside the transaction, so that the worker may come too
/// early or, after a crash, never; the poll finds everything.
/// </summary>
internal sealed class WorkSignal
{
    private const int Capacity = 1000;
    private readonly List<Channel<Guid>> listeners = [];

    /// <summary>A queue of workspaces for one worker; what does not fit is left to the poll.</summary>
    public ChannelReader<Guid> Listen()
    {
        var channel = Channel.CreateBounded<Guid>(
            new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
        lock (listeners)
        {
            listeners.Add(channel);
        }

        return channel.Reader;
    }

    public void Ring(Guid workspaceId)
    {
        lock (listeners)
        {
            foreach (var listener in listeners)
            {
                listener.Writer.TryWrite(workspaceId);
            }
        }
    }
}

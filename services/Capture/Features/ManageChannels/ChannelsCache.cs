using System.Collections.Concurrent;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Features.ManageChannels;

/// <summary>
/// Each workspace's reader of sources, compiled. It is looked up again every few seconds, so that all replicas agree soon after a change;
/// unchanged settings are not compiled again.
/// </summary>
internal sealed class ChannelsCache
{
    private readonly ConcurrentDictionary<Guid, Entry> entries = [];
    private readonly UnitOfWork<CaptureDbContext> work;
    private readonly TimeProvider time;
    private readonly CaptureOptions options;
    private readonly SourceReader unset;

    public ChannelsCache(UnitOfWork<CaptureDbContext> work, IOptions<CaptureOptions> options, TimeProvider time)
    {
        (this.work, this.time, this.options) = (work, time, options.Value);
        Unset = ChannelSettings.Default with { AiAssistantChannel = options.Value.AiAssistantChannel };
        unset = Compile(Unset);
    }

    /// <summary>Settings of a workspace that has set nothing.</summary>
    public ChannelSettings Unset { get; }

    /// <summary>Longest time for which a process goes by settings that are no longer in force.</summary>
    public TimeSpan Life => TimeSpan.FromSeconds(options.ChannelSettingsSeconds);

    /// <summary>The workspace's reader. Throws what the database throws when it has to be asked and cannot be.</summary>
    public async ValueTask<SourceReader> Get(Guid workspaceId)
    {
        var known = entries.GetValueOrDefault(workspaceId);
        if (known is not null && time.GetElapsedTime(known.At) < Life)
        {
            return await known.Reader;
        }

        // One of those who find it old asks; the others wait for the answer.
        var asked = new TaskCompletionSource<SourceReader>(TaskCreationOptions.RunContinuationsAsynchronously);
        var entry = new Entry(time.GetTimestamp(), asked.Task);
        var mine = known is null ? entries.TryAdd(workspaceId, entry) : entries.TryUpdate(workspaceId, entry, known);
        if (!mine)
        {
            return entries.TryGetValue(workspaceId, out var other) ? await other.Reader : await Get(workspaceId);
        }

        if (entries.Count > options.MaxCachedWorkspaces)
        {
            entries.Clear();
        }

        try
        {
            var reader = await Load(workspaceId, known?.Reader is { IsCompletedSuccessfully: true } before ? await before : null);
            asked.SetResult(reader);
            return reader;
        }
        catch (Exception exception)
        {
            entries.TryRemove(new(workspaceId, entry));
            asked.SetException(exception);
            throw;
        }
    }

    /// <summary>Has the settings looked up at once.</summary>
    public void Forget(Guid workspaceId) => entries.TryRemove(workspaceId, out _);

    /// <summary>The reader that goes by settings known to be sound.</summary>
    public SourceReader Compile(ChannelSettings settings) =>
        settings.Compile(ChannelRules.Default, alsoExcluded: options.ExcludedReferrers).Value;

    private Task<SourceReader> Load(Guid workspaceId, SourceReader? before) => work.Read(workspaceId, async tx =>
    {
        var stored = await ChannelSettingsStore.Find(tx);
        return stored is null ? unset
            : before?.Version == stored.Settings.RulesVersion(ChannelRules.Default) ? before : Compile(stored.Settings);
    }, CancellationToken.None);

    private sealed record Entry(long At, Task<SourceReader> Reader);
}

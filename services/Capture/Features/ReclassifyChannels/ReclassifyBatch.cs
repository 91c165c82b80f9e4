using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Features.ManageChannels;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Features.ReclassifyChannels;

/// <summary>What is left of a run.</summary>
internal enum ReclassificationRest
{
    /// <summary>Nothing, or another replica is at it.</summary>
    None,

    /// <summary>More batches.</summary>
    More,

    /// <summary>A last look, when no replica goes by older settings any more.</summary>
    Later,
}

/// <summary>
/// One bounded step of a run over the history, in one transaction with its progress: a process that dies loses the step it was in and no
/// more, and whichever replica comes next goes on from there.
/// </summary>
internal sealed class ReclassifyBatch(UnitOfWork<CaptureDbContext> work, ChannelsCache cache, IOptions<CaptureOptions> options)
{
    public async Task<ReclassificationRest> Handle(Guid workspaceId, CancellationToken ct)
    {
        var cached = await cache.Get(workspaceId);
        var rest = ReclassificationRest.None;
        await work.Run(workspaceId, async tx => rest = await Step(tx, cached), ct);
        return rest;
    }

    private async Task<ReclassificationRest> Step(Transaction<CaptureDbContext> tx, SourceReader cached)
    {
        if (await ReclassificationStore.Take(tx) is not { } run)
        {
            return ReclassificationRest.None;
        }

        var stored = await ChannelSettingsStore.Find(tx);
        var settings = stored?.Settings ?? cache.Unset;
        var rules = settings.RulesVersion(ChannelRules.Default);
        var sources = cached.Version == rules ? cached : cache.Compile(settings);
        if (run.Rules != rules)
        {
            // The settings changed under way: all of it goes by the new ones.
            run = run.At(StoredReclassification.Sessions) with
            {
                Rules = rules,
                Total = run.Processed + await ReclassificationStore.Count(tx, rules)
            };
        }

        await LeadStore.Lock(tx);
        var next = run.Part switch
        {
            StoredReclassification.Sessions => await SessionReclassifier.Step(tx, run, sources, options.Value.ReclassificationBatch),
            StoredReclassification.Leads => await ToldTouchReclassifier.Step(tx, run, sources, options.Value.ReclassificationBatch),
            _ => await SpendReclassifier.Step(tx, run, sources.Channels, options.Value.ReclassificationBatch),
        };
        if (next is null)
        {
            next = run.Part switch
            {
                // Messages read by older settings may have come in behind the cursor.
                StoredReclassification.Sessions when run.CursorTime is not null => run.At(StoredReclassification.Sessions),
                StoredReclassification.Sessions when stored?.CreateTime > tx.Now - (2 * cache.Life) => null,
                StoredReclassification.Sessions => run.At(StoredReclassification.Leads),
                StoredReclassification.Leads => run.At(StoredReclassification.Spend),
                _ => run.At(StoredReclassification.Done) with { FinishTime = tx.Now },
            };
        }

        if (next is null)
        {
            await ReclassificationStore.Save(tx, run);
            return ReclassificationRest.Later;
        }

        await ReclassificationStore.Save(tx, next);
        return next.Part == StoredReclassification.Done ? ReclassificationRest.None : ReclassificationRest.More;
    }
}

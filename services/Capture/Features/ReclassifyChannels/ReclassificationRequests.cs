using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Features.ManageChannels;
using Lifecycle.Capture.Jobs;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.ReclassifyChannels;

/// <summary>
/// Asks for a run of the rules over the history, and tells how far it is. Asking again is harmless, so no request id is kept.
/// </summary>
internal sealed class ReclassificationRequests(UnitOfWork<CaptureDbContext> work, ChannelsCache cache, ReclassificationSignal signal)
{
    public async Task<Result<Reclassification>> Begin(Caller caller, CancellationToken ct)
    {
        var result = await work.Run<Reclassification>(caller.WorkspaceId, async tx =>
        {
            await ChannelSettingsStore.Lock(tx);
            var settings = (await ChannelSettingsStore.Find(tx))?.Settings ?? cache.Unset;
            var rules = settings.RulesVersion(ChannelRules.Default);
            if (await ReclassificationStore.Find(tx) is { Part: not StoredReclassification.Done } running && running.Rules == rules)
            {
                return ToProto(running);
            }

            var run = new StoredReclassification
            {
                Id = tx.NewId(),
                Rules = rules,
                Part = StoredReclassification.Sessions,
                Total = await ReclassificationStore.Count(tx, rules),
                CreateTime = tx.Now,
                Actor = caller.Actor,
            };
            await ReclassificationStore.Save(tx, run);
            return ToProto(run);
        }, ct);
        signal.Ring(caller.WorkspaceId);
        return result;
    }

    public Task<Result<Reclassification>> Get(Caller caller, CancellationToken ct) => work.Read(caller.WorkspaceId, async tx =>
        await ReclassificationStore.Find(tx) is { } run
            ? ToProto(run)
            : (Result<Reclassification>)new Error(ErrorKind.NotFound, "Nothing has been reclassified in this workspace."), ct);

    private static Reclassification ToProto(StoredReclassification run) => new()
    {
        Id = run.Id.ToString(),
        State = run.Part == StoredReclassification.Done ? Reclassification.Types.State.Done : Reclassification.Types.State.Running,
        RulesVersion = run.Rules,
        Total = run.Total,
        Processed = run.Processed,
        ChangedSessions = run.ChangedSessions,
        ChangedLeads = run.ChangedLeads,
        ChangedSpend = run.ChangedSpend,
        CreateTime = run.CreateTime.ToProto(),
        FinishTime = run.FinishTime.ToProto(),
        Actor = run.Actor,
    };
}

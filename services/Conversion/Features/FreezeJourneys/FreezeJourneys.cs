using System.Text.Json;
using Dapper;
using Grpc.Core;
using Lifecycle.Capture.V1;
using Lifecycle.Conversion.Features.EnsureLead;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Features.FreezeJourneys;

/// <summary>
/// Asks Capture for the touches before each closed deal, and before leads first reached LEAD, MQL or SQL, and keeps them, so that later
/// visits do not change old credit. The call is made outside of any transaction: a journey is claimed by moving its due time ahead, so that
/// one whose worker dies falls due again.
/// </summary>
public sealed partial class FreezeJourneys(
    UnitOfWork<ConversionDbContext> work,
    LeadService.LeadServiceClient capture,
    RpcCalls calls,
    ConversionTelemetry telemetry,
    IOptions<ConversionOptions> options,
    ILogger<FreezeJourneys> logger)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);

    /// <summary>Freezes what is due in the workspace, batch by batch, until nothing is or Capture is away.</summary>
    public async Task Handle(Guid workspaceId, CancellationToken ct)
    {
        while (true)
        {
            var claimed = await Claim(workspaceId, ct);
            if (claimed.Count < options.Value.JourneyBatch)
            {
                claimed = [.. claimed, .. await ClaimStages(workspaceId, options.Value.JourneyBatch - claimed.Count, ct)];
            }

            foreach (var journey in claimed)
            {
                if (!await Freeze(workspaceId, journey, ct))
                {
                    return;
                }
            }

            if (claimed.Count < options.Value.JourneyBatch)
            {
                return;
            }
        }
    }

    private async Task<IReadOnlyList<Claimed>> Claim(Guid workspaceId, CancellationToken ct)
    {
        IReadOnlyList<Claimed> claimed = [];
        await work.Run(workspaceId, async tx => claimed = (await tx.Connection.QueryAsync<Claimed>(new CommandDefinition(
            """
            update journey j set due_time = @lease, attempts = attempts + 1
            from (select opportunity_id from journey where workspace_id = @workspaceId and due_time <= @now
                  order by due_time limit @batch for update skip locked) due
            where j.workspace_id = @workspaceId and j.opportunity_id = due.opportunity_id
            returning j.opportunity_id, j.lead_id, j.attempts,
              (select close_time from opportunity o where o.workspace_id = @workspaceId and o.id = j.opportunity_id) as close_time
            """,
            new { workspaceId, now = tx.Now, lease = tx.Now + Lease, batch = options.Value.JourneyBatch },
            cancellationToken: ct))).AsList(), ct);
        return claimed;
    }

    private async Task<IReadOnlyList<Claimed>> ClaimStages(Guid workspaceId, int most, CancellationToken ct)
    {
        IReadOnlyList<Claimed> claimed = [];
        await work.Run(workspaceId, async tx => claimed = (await tx.Connection.QueryAsync<Claimed>(new CommandDefinition(
            """
            update stage_journey j set due_time = @lease, attempts = attempts + 1
            from (select kind, lead_id from stage_journey where workspace_id = @workspaceId and due_time <= @now
                  order by due_time limit @most for update skip locked) due
            where j.workspace_id = @workspaceId and j.kind = due.kind and j.lead_id = due.lead_id
            returning j.kind, j.lead_id, j.attempts, j.time as close_time
            """,
            new { workspaceId, now = tx.Now, lease = tx.Now + Lease, most },
            cancellationToken: ct))).AsList(), ct);
        return claimed;
    }

    /// <returns>False where Capture is away, so that asking on is in vain.</returns>
    private async Task<bool> Freeze(Guid workspaceId, Claimed journey, CancellationToken ct)
    {
        using var activity = telemetry.Source.StartActivity("conversion.freeze-journey");
        try
        {
            var answer = await capture.GetJourneyAsync(
                new GetJourneyRequest { Id = journey.LeadId.ToString() }, calls.As(Caller.Service("conversion", workspaceId), ct));
            await Keep(workspaceId, journey, answer.Touches.Select(touch => touch.ToTouch()).Select(touch =>
                new JourneyTouch(touch.Channel, touch.Source, touch.Medium, touch.Campaign, touch.Keyword, touch.Time, JourneyTouch.Page(
                    touch.LandingPage))), ct);
            return true;
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            // Erased since: what is left is the first touch.
            await Keep(workspaceId, journey, [], ct);
            return true;
        }
        catch (RpcException exception) when (!ct.IsCancellationRequested)
        {
            telemetry.JourneysFailed.Add(1);
            var pause = TimeSpan.FromSeconds(
                Math.Min(Math.Pow(2, Math.Min(journey.Attempts, 20)), options.Value.JourneyLongestPauseSeconds));
            LogHeld(journey.Kind ?? "a deal", journey.LeadId, journey.Attempts, pause, exception.Status.Detail);
            await work.Run(workspaceId, tx => tx.Connection.ExecuteAsync(new CommandDefinition(
                $"update {journey.Table} set due_time = @due where {journey.Condition}",
                new { workspaceId, journey.OpportunityId, journey.Kind, journey.LeadId, due = tx.Now + pause },
                cancellationToken: ct)), ct);
            return exception.StatusCode is not (StatusCode.Unavailable or StatusCode.DeadlineExceeded);
        }
    }

    private async Task Keep(Guid workspaceId, Claimed journey, IEnumerable<JourneyTouch> touches, CancellationToken ct)
    {
        var before = touches.Where(touch => touch.Time <= journey.CloseTime).OrderBy(touch => touch.Time).ToArray();
        await work.Run(workspaceId, async tx =>
        {
            if (before.Length == 0)
            {
                var lead = await tx.Db.Leads.FindAsync([workspaceId, journey.LeadId], ct);
                before = lead?.FirstTouch is { } first
                    ? [new JourneyTouch(
                        first.Channel, first.Source, first.Medium, first.Campaign, first.Keyword, first.Time,
                        JourneyTouch.Page(first.LandingPage))]
                    : [];
            }

            // Erased meanwhile: pages go, as with what was frozen before. The lock waits for an erasure that is under way.
            if (await tx.Connection.ExecuteScalarAsync<bool?>(new CommandDefinition(
                "select erased from lead where workspace_id = @workspaceId and lead_id = @leadId for share",
                new { workspaceId, journey.LeadId },
                cancellationToken: ct)) == true)
            {
                before = before.Select(touch => touch with { LandingPage = null }).ToArray();
            }

            await tx.Connection.ExecuteAsync(new CommandDefinition(
                $"update {journey.Table} set touches = @touches::jsonb, due_time = null where {journey.Condition}",
                new
                {
                    workspaceId,
                    journey.OpportunityId,
                    journey.Kind,
                    journey.LeadId,
                    touches = JsonSerializer.Serialize(before, JsonSerializerOptions.Web)
                },
                cancellationToken: ct));
        }, ct);
        telemetry.JourneysFrozen.Add(1);
    }

    [LoggerMessage(
        4111, LogLevel.Warning,
        "The journey of lead {LeadId} before {Kind} was not to be had at attempt {Attempt}, next in {Pause}: {Reason}")]
    private partial void LogHeld(string kind, Guid leadId, int attempt, TimeSpan pause, string reason);

    private sealed class Claimed
    {
        public Guid OpportunityId { get; init; }

        /// <summary>Stage reached; null for a deal.</summary>
        public string? Kind { get; init; }

        public Guid LeadId { get; init; }

        public int Attempts { get; init; }

        public DateTimeOffset CloseTime { get; init; }

        public string Table => Kind is null ? "journey" : "stage_journey";

        public string Condition => Kind is null
            ? "workspace_id = @workspaceId and opportunity_id = @opportunityId and due_time is not null"
            : "workspace_id = @workspaceId and kind = @kind and lead_id = @leadId and due_time is not null";
    }
}

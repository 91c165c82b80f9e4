using Dapper;
using Lifecycle.Capture.Domain.Visits;
using Lifecycle.Capture.Features.ManageChannels;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>Takes back that a device is a robot's: its hits become activities again, cut into sessions as if nothing had been.</summary>
internal sealed class DeclareHuman(UnitOfWork<CaptureDbContext> work, Partitions partitions, ChannelsCache channels)
{
    private const string Method = "lifecycle.capture.v1.BotService/DeclareHuman";

    private const string Columns = """
        workspace_id, id, visitor_id, type, name, time, url, properties, source_kind, channel, source, medium, campaign, keyword, click_id, referrer_host,
        opens, identity_kind, identity_value
        """;

    public async Task<Result<DeclareHumanResponse>> Handle(Caller caller, DeclareHumanRequest request, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireText(request.AnonymousId, "anonymousId", 256);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        // The months of old hits may have been dropped meanwhile.
        var times = await work.Read(caller.WorkspaceId, tx => tx.Connection.QueryAsync<DateTimeOffset>(
            """
            select distinct date_trunc('month', r.time at time zone 'UTC') at time zone 'UTC' from robot_activity r
            join visitor v on v.workspace_id = r.workspace_id and v.id = r.visitor_id
            where r.workspace_id = @workspace and v.anonymous_id = @device
            """,
            new { workspace = caller.WorkspaceId, device = request.AnonymousId }), ct);
        await partitions.Ensure(times, ct);
        var sources = await channels.Get(caller.WorkspaceId);
        return await work.RunIdempotent<DeclareHumanResponse>(caller.WorkspaceId, Method, request.RequestId, request, async tx =>
        {
            // The lock that makes writers of the workspace wait for each other.
            var changes = await ChangeSet.Open(tx, sources, [], []);
            if ((await VisitStore.Load(tx, [request.AnonymousId])).GetValueOrDefault(request.AnonymousId) is not { } visitor)
            {
                return Error.NotFound("Visitor", request.AnonymousId);
            }

            var restored = await Restore(tx, visitor.Id);
            if (restored > 0)
            {
                await changes.CutAnew(visitor.Id);
            }

            return new DeclareHumanResponse { RestoredActivities = restored, Sessions = changes.Sessions.Count };
        }, ct);
    }

    private static async Task<long> Restore(Transaction<CaptureDbContext> tx, Guid visitor)
    {
        var ids = new { workspace = tx.WorkspaceId, visitor, human = StoredVisitor.Human, name = BotPolicy.Name };
        await tx.Connection.ExecuteAsync("update visitor set bot_until = @human where workspace_id = @workspace and id = @visitor", ids);
        return await tx.Connection.QuerySingleAsync<long>(
            $"""
            with hit as (delete from robot_activity where workspace_id = @workspace and visitor_id = @visitor returning {Columns}),
            back as (insert into activity ({Columns}) select {Columns} from hit returning time),
            bucket as (select date_bin('15 minutes', time, '2000-01-01T00:00:00Z') as bucket, count(*) as hits from back group by 1),
            counted as (
              update hit_count c set hits = c.hits - b.hits from bucket b
              where c.workspace_id = @workspace and c.bucket = b.bucket and c.kind = 'bot' and c.detail = @name)
            select coalesce(sum(hits), 0)::bigint from bucket
            """,
            ids);
    }
}

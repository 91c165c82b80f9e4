using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.RetainData;

/// <summary>Reads and sets a workspace's policy.</summary>
internal sealed class RetentionPolicy(UnitOfWork<CaptureDbContext> work)
{
    private const int MaxDays = 36_500;

    public Task<DataRetention> Get(Caller caller, CancellationToken ct) =>
        work.Read(caller.WorkspaceId, async tx => ToProto(await Load(tx)), ct);

    public async Task<Result<DataRetention>> Set(Caller caller, UpdateDataRetentionRequest request, CancellationToken ct)
    {
        var violations = new Violations();
        var anonymous = Days(violations, request.HasAnonymousActivityDays, request.AnonymousActivityDays, "anonymousActivityDays");
        var lead = Days(violations, request.HasLeadActivityDays, request.LeadActivityDays, "leadActivityDays");
        var inactive = Days(violations, request.HasInactiveLeadDays, request.InactiveLeadDays, "inactiveLeadDays");
        return violations.ToError() is { } error
            ? error
            : await work.RunIdempotent<DataRetention>(caller.WorkspaceId, "SetDataRetention", request.RequestId, request, async tx =>
            {
                await tx.Connection.ExecuteAsync(
                    """
                    insert into data_retention (workspace_id, anonymous_activity_days, lead_activity_days, inactive_lead_days, update_time)
                    values (@workspace, @anonymous, @lead, @inactive, @now)
                    on conflict (workspace_id) do update set anonymous_activity_days = excluded.anonymous_activity_days,
                      lead_activity_days = excluded.lead_activity_days, inactive_lead_days = excluded.inactive_lead_days, update_time = excluded.update_time
                    """,
                    new { workspace = tx.WorkspaceId, anonymous, lead, inactive, now = tx.Now });
                return ToProto(await Load(tx));
            }, ct);
    }

    /// <summary>The policy; null where none was set.</summary>
    public static Task<DataRetentionRow?> Load(
        Transaction<CaptureDbContext> tx) => tx.Connection.QuerySingleOrDefaultAsync<DataRetentionRow>(
        """
        select workspace_id, anonymous_activity_days, lead_activity_days, inactive_lead_days, update_time, apply_time
        from data_retention where workspace_id = @workspace
        """,
        new { workspace = tx.WorkspaceId });

    private static int? Days(Violations violations, bool isGiven, int days, string field) =>
        isGiven && violations.Require(days is >= 1 and <= MaxDays, field, $"{field} must be from 1 to {MaxDays}, or be left out.")
            ? days
            : null;

    private static DataRetention ToProto(DataRetentionRow? row)
    {
        var message =
            new DataRetention { UpdateTime = row is null ? null : row.UpdateTime.ToProto(), ApplyTime = row?.ApplyTime.ToProto() };
        if (row?.AnonymousActivityDays is { } anonymous)
        {
            message.AnonymousActivityDays = anonymous;
        }

        if (row?.LeadActivityDays is { } lead)
        {
            message.LeadActivityDays = lead;
        }

        if (row?.InactiveLeadDays is { } inactive)
        {
            message.InactiveLeadDays = inactive;
        }

        return message;
    }
}

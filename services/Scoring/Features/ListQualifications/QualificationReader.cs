using System.Text.Json;
using Dapper;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.ListQualifications;

/// <summary>When a lead qualified and ceased to, with what was told then.</summary>
public sealed class QualificationReader(UnitOfWork<ScoringDbContext> work)
{
    private const int Most = 100;

    public Task<Result<ListQualificationsResponse>> List(Guid workspaceId, Guid leadId, CancellationToken ct) =>
        work.Read<Result<ListQualificationsResponse>>(workspaceId, async tx =>
        {
            var id = await LeadStore.Living(tx, leadId);
            if ((await LeadStore.Select(tx, "lead_id = @id and state is not null", new { id })).Count == 0)
            {
                return Error.NotFound("Lead", leadId);
            }

            var rows = await tx.Connection.QueryAsync<TransitionRow>(new CommandDefinition(
                """
                select qualified, time, score, model_version, reasons, recent, changes, hot from transition
                where workspace_id = @WorkspaceId and lead_id = @id order by time desc, transition_id desc limit @Most
                """,
                new { tx.WorkspaceId, id, Most },
                cancellationToken: ct));
            return new ListQualificationsResponse { Qualifications = { rows.Select(ToProto) } };
        }, ct);

    private static Qualification ToProto(TransitionRow row) => new()
    {
        Qualified = row.Qualified,
        Time = Timestamp.FromDateTimeOffset(row.Time),
        Score = (double)row.Score,
        ModelVersion = row.ModelVersion,
        Reasons =
        {
            JsonSerializer.Deserialize<Reason[]>(row.Reasons, DefaultModel.Json)!.Select(reason => new QualificationReason
            {
                RuleId = reason.RuleId,
                Text = reason.Text,
                Points = (double)reason.Points,
            }),
        },
        RecentActivities = { JsonSerializer.Deserialize<string[]>(row.Recent)! },
        Changes = { JsonSerializer.Deserialize<string[]>(row.Changes)! },
        Hot = row.Hot,
    };
}

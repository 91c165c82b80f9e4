using Dapper;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Common.V1;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;

namespace Lifecycle.Scoring.Features.ExportPerson;

/// <summary>All that the service holds on one lead.</summary>
public sealed class PersonExporter(UnitOfWork<ScoringDbContext> work)
{
    /// <summary>Each kind of record as an array of objects, the rows as they are.</summary>
    private const string Sql =
        """
        select jsonb_build_object(
            'scores', coalesce((
                select jsonb_agg(jsonb_build_object('profile', profile, 'stage', stage, 'qualified', qualified, 'state', state,
                    'modelVersion', model_version, 'asOf', change_time))
                from lead where workspace_id = @WorkspaceId and lead_id = @leadId and state is not null), '[]'),
            'outcomes', coalesce((
                select jsonb_agg(jsonb_build_object('salesTime', sales_time, 'wonTime', won_time, 'lostTime', lost_time, 'profile', profile))
                from outcome where workspace_id = @WorkspaceId and lead_id = @leadId), '[]'),
            'activities', coalesce((
                select jsonb_agg(jsonb_build_object('activityId', activity_id, 'type', type, 'name', name, 'time', time,
                    'sessionId', session_id, 'url', url, 'properties', properties) order by time)
                from activity where workspace_id = @WorkspaceId and lead_id = @leadId), '[]'),
            'points', coalesce((
                select jsonb_agg(jsonb_build_object('ruleId', rule_id, 'activityId', activity_id, 'points', points, 'time', time,
                    'evidence', evidence, 'scoreName', score_name, 'endTime', end_time) order by time)
                from ledger where workspace_id = @WorkspaceId and lead_id = @leadId and exists (
                    select from lead where workspace_id = @WorkspaceId and lead_id = @leadId and erase_time is null)), '[]'),
            'otherScores', coalesce((
                select jsonb_agg(jsonb_build_object('scoreName', score_name, 'state', state, 'modelVersion', model_version, 'asOf', change_time))
                from score where workspace_id = @WorkspaceId and lead_id = @leadId and state is not null), '[]'),
            'adjustments', coalesce((
                select jsonb_agg(jsonb_build_object('adjustmentId', adjustment_id, 'scoreName', score_name, 'points', points, 'reason', reason,
                    'actor', actor, 'time', create_time, 'undoTime', undo_time) order by create_time)
                from adjustment where workspace_id = @WorkspaceId and lead_id = @leadId and reason <> ''), '[]'),
            'qualifications', coalesce((
                select jsonb_agg(jsonb_build_object('qualified', qualified, 'time', time, 'score', score, 'reasons', reasons,
                    'recentActivities', recent, 'changes', changes) order by time)
                from transition where workspace_id = @WorkspaceId and lead_id = @leadId and exists (
                    select from lead where workspace_id = @WorkspaceId and lead_id = @leadId and erase_time is null)), '[]'))::text
        """;

    public async Task<ExportPersonResponse> Export(Guid workspaceId, Guid leadId, CancellationToken ct)
    {
        var json = await work.Read(workspaceId, tx => tx.Connection.ExecuteScalarAsync<string>(new CommandDefinition(
            Sql, new { tx.WorkspaceId, leadId }, cancellationToken: ct)), ct);
        var data = Struct.Parser.ParseJson(json);
        foreach (var empty in data.Fields.Where(field => field.Value.ListValue.Values.Count == 0).Select(field => field.Key).ToArray())
        {
            data.Fields.Remove(empty);
        }

        return new() { Data = data };
    }
}

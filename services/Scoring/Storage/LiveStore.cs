using System.Text.Json;
using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Live;

namespace Lifecycle.Scoring.Storage;

/// <summary>Scores of any name as readers and Redis get them: those of <c>default</c> stand in the lead's row, others in rows of their
/// own.</summary>
internal static class LiveStore
{
    private const string OfDefault =
        """
        select lead_id, 'default' score_name, version, model_version, qualified, state, next_time, change_xid from lead
        where workspace_id = @WorkspaceId and
        """;

    private const string OfNamed =
        """
        select lead_id, score_name, version, model_version, false qualified, state, next_time, change_xid from score
        where workspace_id = @WorkspaceId and score_name = @ScoreName and
        """;

    /// <summary>Rows of one score by condition on columns that both tables have.</summary>
    public static async Task<List<LiveRow>> Select(
        Transaction<ScoringDbContext> tx, string scoreName, string where, object? parameters = null)
    {
        var all = new DynamicParameters(parameters);
        all.Add("WorkspaceId", tx.WorkspaceId);
        all.Add("ScoreName", scoreName);
        return (await tx.Connection.QueryAsync<LiveRow>(new CommandDefinition(
            $"{(scoreName == ModelStore.DefaultScore ? OfDefault : OfNamed)} {where}", all,
            cancellationToken: tx.CancellationToken))).AsList();
    }

    /// <summary>Which of the leads have the score.</summary>
    public static async Task<HashSet<Guid>> Known(Transaction<ScoringDbContext> tx, string scoreName, IReadOnlyCollection<Guid> ids) =>
        (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            scoreName == ModelStore.DefaultScore
                ? "select lead_id from lead where workspace_id = @WorkspaceId and lead_id = any(@ids) and state is not null"
                : """
                  select lead_id from score
                  where workspace_id = @WorkspaceId and score_name = @scoreName and lead_id = any(@ids) and state is not null
                  """,
            new { tx.WorkspaceId, scoreName, ids = ids.ToArray() },
            cancellationToken: tx.CancellationToken))).ToHashSet();

    /// <summary>Names of all scores that have rows or models, ended ones too.</summary>
    public static async Task<List<string>> Names(Transaction<ScoringDbContext> tx) =>
        (await tx.Connection.QueryAsync<string>(new CommandDefinition(
            "select distinct score_name from model where workspace_id = @WorkspaceId and score_name <> 'default'", new { tx.WorkspaceId },
            cancellationToken: tx.CancellationToken))).Prepend(ModelStore.DefaultScore).ToList();
}

/// <summary>One score as it is stored.</summary>
public sealed class LiveRow
{
    public Guid LeadId { get; init; }

    public string ScoreName { get; init; } = "";

    public long Version { get; init; }

    public int ModelVersion { get; init; }

    public bool Qualified { get; init; }

    public string? State { get; init; }

    public DateTimeOffset? NextTime { get; init; }

    public long ChangeXid { get; init; }

    /// <summary>Null for a lead without a score: unknown, merged or erased.</summary>
    public LiveScore? ToScore() => State is null
        ? null
        : new(LeadId, Version, ModelVersion, Qualified, JsonSerializer.Deserialize<ScoreState>(State, DefaultModel.Json)!, NextTime);
}

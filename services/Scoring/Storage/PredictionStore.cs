using System.Text.Json;
using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Domain.Learning;

namespace Lifecycle.Scoring.Storage;

/// <summary>A prediction model with its provenance.</summary>
internal sealed record StoredPrediction(int Version, PredictionModel Model, DateTimeOffset CreateTime, string Actor);

/// <summary>The workspaces' prediction models, and the leads that they are learnt from.</summary>
internal static class PredictionStore
{
    /// <summary>A version, 0 being the latest; null when there is none.</summary>
    public static async Task<StoredPrediction?> Find(Transaction<ScoringDbContext> tx, int version)
    {
        var row = await tx.Connection.QuerySingleOrDefaultAsync<PredictionModelRow>(new CommandDefinition(
            """
            select version, definition, create_time, actor from prediction_model
            where workspace_id = @WorkspaceId and (@version = 0 or version = @version) order by version desc limit 1
            """,
            new { tx.WorkspaceId, version },
            cancellationToken: tx.CancellationToken));
        return row is null
            ? null
            : new(row.Version, JsonSerializer.Deserialize<PredictionModel>(row.Definition, DefaultModel.Json)!, row.CreateTime, row.Actor);
    }

    /// <summary>Adds the next version.</summary>
    public static async Task<StoredPrediction> Add(Transaction<ScoringDbContext> tx, PredictionModel model, string actor)
    {
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            "select pg_advisory_xact_lock(hashtextextended('scoring.prediction:' || @WorkspaceId, 0))", new { tx.WorkspaceId },
            cancellationToken: tx.CancellationToken));
        var version = await tx.Connection.ExecuteScalarAsync<int>(new CommandDefinition(
            """
            insert into prediction_model (workspace_id, version, definition, create_time, actor)
            select @WorkspaceId, coalesce(max(version), 0) + 1, @definition::jsonb, @Now, @actor
            from prediction_model where workspace_id = @WorkspaceId
            returning version
            """,
            new { tx.WorkspaceId, definition = StoredText.CleanJson(JsonSerializer.Serialize(model, DefaultModel.Json)), tx.Now, actor },
            cancellationToken: tx.CancellationToken));
        return new(version, model, tx.Now, actor);
    }

    /// <summary>
    /// Leads whose fate is known, the latest first. A lead that was lost and came back to buy is won. What is known of it ends when sales
    /// took it over, or else with the loss; won without sales, with the purchase.
    /// </summary>
    public static async Task<List<OutcomeCase>> Decided(Transaction<ScoringDbContext> tx, int limit) =>
        (await tx.Connection.QueryAsync<OutcomeCase>(new CommandDefinition(
            """
            select lead_id, won_time is not null won, coalesce(least(sales_time, won_time), lost_time) known_until,
                coalesce(outcome.profile, lead.profile) profile
            from outcome join lead using (workspace_id, lead_id)
            where workspace_id = @WorkspaceId and coalesce(won_time, lost_time) is not null
                and merged_into is null and erase_time is null and coalesce(outcome.profile, lead.profile) is not null
            order by coalesce(won_time, lost_time) desc, lead_id limit @limit
            """,
            new { tx.WorkspaceId, limit },
            cancellationToken: tx.CancellationToken))).AsList();

    internal sealed class OutcomeCase
    {
        public Guid LeadId { get; init; }

        public bool Won { get; init; }

        public DateTimeOffset KnownUntil { get; init; }

        public string Profile { get; init; } = "";
    }
}

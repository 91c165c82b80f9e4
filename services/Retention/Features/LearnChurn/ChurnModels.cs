using System.Text.Json;
using System.Text.Json.Serialization;
using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain.Learning;
using Lifecycle.Retention.Storage;

namespace Lifecycle.Retention.Features.LearnChurn;

/// <summary>A learnt model with its provenance.</summary>
internal sealed record StoredChurnModel(int Version, ChurnModel Model, DateTimeOffset CreateTime, string Actor, DateTimeOffset? RetireTime);

/// <summary>Learnt models by version; at most one is in force.</summary>
internal static class ChurnModels
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    /// <summary>A version, or with 0 the one in force; null when there is none.</summary>
    public static async Task<StoredChurnModel?> Find(Transaction<RetentionDbContext> tx, int version)
    {
        var row = await tx.Connection.QuerySingleOrDefaultAsync<ChurnModelRead>(new CommandDefinition(
            """
            select version, definition, create_time, actor, retire_time from churn_model
            where workspace_id = @workspace and (version = @version or (@version = 0 and retire_time is null)) order by version desc limit 1
            """,
            new { workspace = tx.WorkspaceId, version }, cancellationToken: tx.CancellationToken));
        return row is null
            ? null
            : new(row.Version, JsonSerializer.Deserialize<ChurnModel>(row.Definition, Json)!, row.CreateTime, row.Actor, row.RetireTime);
    }

    /// <summary>Puts a model in force in place of the one that is, and marks every customer to be told anew.</summary>
    public static async Task<StoredChurnModel> Add(Transaction<RetentionDbContext> tx, ChurnModel model, string actor)
    {
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            "select pg_advisory_xact_lock(hashtextextended('retention.churn_model:' || @workspace, 0))", new { workspace = tx.WorkspaceId },
            cancellationToken: tx.CancellationToken));
        await Retire(tx);
        var version = await tx.Connection.ExecuteScalarAsync<int>(new CommandDefinition(
            """
            insert into churn_model (workspace_id, version, definition, create_time, actor)
            select @workspace, coalesce(max(version), 0) + 1, @definition::jsonb, @now, @actor from churn_model where workspace_id = @workspace returning version
            """,
            new { workspace = tx.WorkspaceId, definition = JsonSerializer.Serialize(model, Json), now = tx.Now, actor },
            cancellationToken: tx.CancellationToken));
        return new(version, model, tx.Now, actor, null);
    }

    /// <summary>Takes the model in force out of it, and marks every customer to be told anew.</summary>
    public static Task Retire(Transaction<RetentionDbContext> tx) => tx.Connection.ExecuteAsync(new CommandDefinition(
        """
        update churn_model set retire_time = @now where workspace_id = @workspace and retire_time is null;
        update customer set risk_due_time = @now where workspace_id = @workspace and not churned and risk_due_time > @now;
        """,
        new { workspace = tx.WorkspaceId, now = tx.Now }, cancellationToken: tx.CancellationToken));

    /// <summary>Probabilities of customers at the transaction's time, in their order; all null when no model is in force.</summary>
    public static async Task<IReadOnlyList<double?>> Probabilities(Transaction<RetentionDbContext> tx, Guid[] customerIds)
    {
        if (customerIds.Length == 0 || await Find(tx, 0) is not { } stored)
        {
            return new double?[customerIds.Length];
        }

        var facts = await ChurnHistory.Facts(tx, customerIds, [.. customerIds.Select(_ => tx.Now)]);
        return [.. facts.Select(known => (double?)stored.Model.Probability(known))];
    }

    /// <summary>A row as read: what has a default is not required of Dapper.</summary>
    private sealed class ChurnModelRead
    {
        public int Version { get; init; }

        public string Definition { get; init; } = "";

        public DateTimeOffset CreateTime { get; init; }

        public string Actor { get; init; } = "";

        public DateTimeOffset? RetireTime { get; init; }
    }
}

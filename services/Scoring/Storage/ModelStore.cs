using System.Collections.Concurrent;
using System.Text.Json;
using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;

namespace Lifecycle.Scoring.Storage;

/// <summary>A model with its provenance.</summary>
public sealed record StoredModel(ScoringModel Model, DateTimeOffset? CreateTime, string Actor)
{
    public static readonly StoredModel BuiltIn = new(DefaultModel.Instance, null, "service:scoring");
}

/// <summary>The workspaces' models. A version never changes, so compiled ones are kept; which one is in force is asked of the database each
/// time.</summary>
public sealed class ModelStore
{
    private const int MaxCached = 1_000;
    private readonly ConcurrentDictionary<(Guid WorkspaceId, int Version), StoredModel> compiled = new();

    /// <summary>The model in force.</summary>
    public async Task<StoredModel> Current(Transaction<ScoringDbContext> tx)
    {
        var version = await tx.Connection.ExecuteScalarAsync<int?>(new CommandDefinition(
            "select max(version) from model where workspace_id = @WorkspaceId", new { tx.WorkspaceId },
            cancellationToken: tx.CancellationToken));
        return version is null ? StoredModel.BuiltIn : (await Find(tx, version.Value))!;
    }

    /// <summary>A version that was read before; null: it has to be.</summary>
    public StoredModel? Cached(Guid workspaceId, int version) =>
        version == 0 ? StoredModel.BuiltIn : compiled.GetValueOrDefault((workspaceId, version));

    /// <summary>One version, 0 being the built-in one; null when there is none.</summary>
    public async Task<StoredModel?> Find(Transaction<ScoringDbContext> tx, int version)
    {
        if (version == 0)
        {
            return StoredModel.BuiltIn;
        }

        if (compiled.TryGetValue((tx.WorkspaceId, version), out var cached))
        {
            return cached;
        }

        var row = await tx.Connection.QuerySingleOrDefaultAsync<ModelRow>(new CommandDefinition(
            "select version, definition, create_time, actor from model where workspace_id = @WorkspaceId and version = @version",
            new { tx.WorkspaceId, version },
            cancellationToken: tx.CancellationToken));
        if (row is null)
        {
            return null;
        }

        var definition = JsonSerializer.Deserialize<ModelDefinition>(row.Definition, DefaultModel.Json)!;
        var model = new StoredModel(ModelCompiler.Compile(definition, version).Value, row.CreateTime, row.Actor);
        if (compiled.Count >= MaxCached)
        {
            compiled.Clear();
        }

        return compiled[(tx.WorkspaceId, version)] = model;
    }

    /// <summary>Adds the next version. The caller has called <see cref="Lock"/> in the same transaction.</summary>
    public static async Task<StoredModel> Add(Transaction<ScoringDbContext> tx, ScoringModel model, string actor)
    {
        var definition = JsonSerializer.Serialize(model.Definition, DefaultModel.Json);
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into model (workspace_id, version, definition, create_time, actor)
            values (@WorkspaceId, @Version, @definition::jsonb, @Now, @actor)
            """,
            new { tx.WorkspaceId, model.Version, definition, tx.Now, actor },
            cancellationToken: tx.CancellationToken));
        return new(model, tx.Now, actor);
    }

    /// <summary>Makes writers of the workspace's model wait for each other until the transaction ends.</summary>
    public static Task Lock(Transaction<ScoringDbContext> tx) => tx.Connection.ExecuteAsync(new CommandDefinition(
        "select pg_advisory_xact_lock(hashtextextended('scoring.model:' || @WorkspaceId, 0))", new { tx.WorkspaceId },
        cancellationToken: tx.CancellationToken));
}

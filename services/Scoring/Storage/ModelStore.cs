using System.Collections.Concurrent;
using System.Text.Json;
using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;

namespace Lifecycle.Scoring.Storage;

/// <summary>A model with its provenance.</summary>
public sealed record StoredModel(ScoringModel Model, DateTimeOffset? CreateTime, string Actor, string ScoreName = ModelStore.DefaultScore)
{
    public static readonly StoredModel BuiltIn = new(DefaultModel.Instance, null, "service:scoring");
}

/// <summary>The models in force in a workspace, one per score.</summary>
/// <param name="Generation">Grows with each change of any of them: a lead that has seen it is scored by all of them.</param>
/// <param name="Models"><c>default</c> first, then by name.</param>
/// <param name="HasNamed">Whether there are, or ever were, scores besides <c>default</c>.</param>
public sealed record ModelSet(int Generation, IReadOnlyList<StoredModel> Models, bool HasNamed)
{
    public StoredModel Default => Models[0];

    public StoredModel? Find(string scoreName) => Models.FirstOrDefault(model => model.ScoreName == scoreName);
}

/// <summary>The workspaces' models. A version never changes, so compiled ones are kept; which ones are in force is asked of the database
/// each time.</summary>
public sealed class ModelStore
{
    /// <summary>The score that decides on qualification; every workspace has it.</summary>
    public const string DefaultScore = "default";

    /// <summary>Raised when leads have to be scored anew for another reason than a model: a release that keeps more of them.</summary>
    private const int Release = 1;
    private const int MaxCached = 1_000;
    private readonly ConcurrentDictionary<(Guid WorkspaceId, string ScoreName, int Version), StoredModel> compiled = new();

    /// <summary>The models in force. Versions are never deleted, so that their number tells every change.</summary>
    public async Task<ModelSet> InForce(Transaction<ScoringDbContext> tx)
    {
        var rows = (await tx.Connection.QueryAsync<HeadRow>(new CommandDefinition(
            """
            select distinct on (score_name) score_name, version, removed, count(*) over () count from model
            where workspace_id = @WorkspaceId order by score_name, version desc
            """,
            new { tx.WorkspaceId },
            cancellationToken: tx.CancellationToken))).AsList();
        var models = new List<StoredModel>();
        foreach (var row in rows.Where(row => !row.Removed))
        {
            models.Add((await Find(tx, row.ScoreName, row.Version))!);
        }

        var others = models.Where(model => model.ScoreName != DefaultScore).OrderBy(model => model.ScoreName, StringComparer.Ordinal);
        var main = models.Find(model => model.ScoreName == DefaultScore) ?? StoredModel.BuiltIn;
        return new(
            Release + (rows.Count > 0 ? (int)rows[0].Count : 0), [main, .. others], rows.Any(row => row.ScoreName != DefaultScore));
    }

    /// <summary>The model in force for the score <c>default</c>.</summary>
    public async Task<StoredModel> Current(Transaction<ScoringDbContext> tx) => (await InForce(tx)).Default;

    /// <summary>A version that was read before; null: it has to be.</summary>
    public StoredModel? Cached(Guid workspaceId, string scoreName, int version) =>
        version == 0 && scoreName == DefaultScore ? StoredModel.BuiltIn : compiled.GetValueOrDefault((workspaceId, scoreName, version));

    /// <summary>One version of the score <c>default</c>, 0 being the built-in one; null when there is none.</summary>
    public Task<StoredModel?> Find(Transaction<ScoringDbContext> tx, int version) => Find(tx, DefaultScore, version);

    /// <summary>One version; null when there is none, or when it ended the score.</summary>
    public async Task<StoredModel?> Find(Transaction<ScoringDbContext> tx, string scoreName, int version)
    {
        if (Cached(tx.WorkspaceId, scoreName, version) is { } cached)
        {
            return cached;
        }

        var row = await tx.Connection.QuerySingleOrDefaultAsync<ModelRow>(new CommandDefinition(
            """
            select version, definition, create_time, actor from model
            where workspace_id = @WorkspaceId and score_name = @scoreName and version = @version and not removed
            """,
            new { tx.WorkspaceId, scoreName, version },
            cancellationToken: tx.CancellationToken));
        if (row is null)
        {
            return null;
        }

        var definition = JsonSerializer.Deserialize<ModelDefinition>(row.Definition, DefaultModel.Json)!;
        var model = new StoredModel(ModelCompiler.Compile(definition, version).Value, row.CreateTime, row.Actor, scoreName);
        if (compiled.Count >= MaxCached)
        {
            compiled.Clear();
        }

        return compiled[(tx.WorkspaceId, scoreName, version)] = model;
    }

    /// <summary>Number of the score's last version, ended or not; 0: it never had one.</summary>
    public static async Task<int> LastVersion(Transaction<ScoringDbContext> tx, string scoreName) =>
        await tx.Connection.ExecuteScalarAsync<int?>(new CommandDefinition(
            "select max(version) from model where workspace_id = @WorkspaceId and score_name = @scoreName",
            new { tx.WorkspaceId, scoreName },
            cancellationToken: tx.CancellationToken)) ?? 0;

    /// <summary>Adds the next version. The caller has called <see cref="Lock"/> in the same transaction.</summary>
    public static async Task<StoredModel> Add(
        Transaction<ScoringDbContext> tx, string scoreName, ScoringModel model, string actor, bool removed = false)
    {
        var definition = JsonSerializer.Serialize(model.Definition, DefaultModel.Json);
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into model (workspace_id, score_name, version, definition, create_time, actor, removed)
            values (@WorkspaceId, @scoreName, @Version, @definition::jsonb, @Now, @actor, @removed)
            """,
            new { tx.WorkspaceId, scoreName, model.Version, definition, tx.Now, actor, removed },
            cancellationToken: tx.CancellationToken));
        ScoreKeeper.Announce(tx);
        return new(model, tx.Now, actor, scoreName);
    }

    /// <summary>Makes writers of the workspace's models wait for each other until the transaction ends.</summary>
    public static Task Lock(Transaction<ScoringDbContext> tx) => tx.Connection.ExecuteAsync(new CommandDefinition(
        "select pg_advisory_xact_lock(hashtextextended('scoring.model:' || @WorkspaceId, 0))", new { tx.WorkspaceId },
        cancellationToken: tx.CancellationToken));

    private sealed class HeadRow
    {
        public string ScoreName { get; init; } = "";

        public int Version { get; init; }

        public bool Removed { get; init; }

        public long Count { get; init; }
    }
}

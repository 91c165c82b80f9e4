using System.Text.Json;
using System.Text.Json.Serialization;
using Dapper;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Caching.Memory;

namespace Lifecycle.Nurture.Features.EnrollLead;

/// <summary>A program as the engine needs it.</summary>
internal sealed record ActiveProgram(Guid Id, int Version, ProgramPath Path);

/// <summary>Programs with their paths, which are parsed once per version and kept in a bounded cache.</summary>
internal sealed class ProgramStore : IDisposable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        Converters = { new JsonStringEnumConverter() },
        // jsonb keeps no order of members.
        AllowOutOfOrderMetadataProperties = true,
    };

    private readonly MemoryCache paths = new(new MemoryCacheOptions { SizeLimit = 2000 });
    private readonly MemoryCache conditions = new(new MemoryCacheOptions { SizeLimit = 5000 });

    public static string ToJson(ProgramPath path) => JsonSerializer.Serialize(path, Json);

    public static ProgramPath Parse(string json) =>
        JsonSerializer.Deserialize<ProgramPath>(json, Json) ?? throw new InvalidOperationException("A program has no path.");

    public static string ToJson(SendingPolicy policy) => JsonSerializer.Serialize(policy, Json);

    public static SendingPolicy ParsePolicy(string json) => JsonSerializer.Deserialize<SendingPolicy>(json, Json) ?? SendingPolicy.None;

    public ProgramPath PathOf(Guid programId, int version, string json) => paths.GetOrCreate((programId, version), entry =>
    {
        entry.Size = 1;
        return Parse(json);
    })!;

    /// <summary>Every active program of the workspace.</summary>
    public async Task<IReadOnlyList<ActiveProgram>> Active(Transaction<NurtureDbContext> tx)
    {
        var rows = (await tx.Connection.QueryAsync<(Guid Id, int Version)>(new CommandDefinition(
            "select id, version from program where workspace_id = @workspace and state = 'ACTIVE' order by id",
            new { workspace = tx.WorkspaceId },
            cancellationToken: tx.CancellationToken))).AsList();
        var found = await Paths(tx, rows);
        return rows.Where(found.ContainsKey).Select(row => new ActiveProgram(row.Id, row.Version, found[row])).ToList();
    }

    /// <summary>The paths of programs in these versions. Only what the cache lacks is read.</summary>
    public async Task<IReadOnlyDictionary<(Guid ProgramId, int Version), ProgramPath>> Paths(
        Transaction<NurtureDbContext> tx, IEnumerable<(Guid ProgramId, int Version)> wanted)
    {
        var (found, missing) = (new Dictionary<(Guid, int), ProgramPath>(), new List<(Guid ProgramId, int Version)>());
        foreach (var key in wanted.Distinct())
        {
            if (paths.TryGetValue<ProgramPath>(key, out var path))
            {
                found.Add(key, path!);
            }
            else
            {
                missing.Add(key);
            }
        }

        if (missing.Count > 0)
        {
            var rows = await tx.Connection.QueryAsync<(Guid ProgramId, int Version, string Path)>(new CommandDefinition(
                """
                select m.program_id, m.version, coalesce(v.path, p.path)
                from unnest(@ids, @versions) as m(program_id, version)
                join program p on p.workspace_id = @workspace and p.id = m.program_id
                left join program_version v on v.workspace_id = @workspace and v.program_id = m.program_id and v.version = m.version
                """,
                new
                {
                    workspace = tx.WorkspaceId,
                    ids = missing.Select(key => key.ProgramId).ToArray(),
                    versions = missing.Select(key => key.Version).ToArray(),
                },
                cancellationToken: tx.CancellationToken));
            foreach (var (id, version, json) in rows)
            {
                found.Add((id, version), PathOf(id, version, json));
            }
        }

        return found;
    }

    /// <summary>A branch's condition, or null where it is none: it was checked when it was written.</summary>
    public Condition? ConditionOf(string text) => conditions.GetOrCreate(text, entry =>
    {
        entry.Size = 1;
        return Condition.Parse(text, LeadFacts.SegmentCatalog).TryGet(out var condition, out _) ? condition : null;
    });

    /// <summary>A condition over an activity, or null where it is none.</summary>
    public Condition? ActivityCondition(string text) => conditions.GetOrCreate((nameof(ActivityCondition), text), entry =>
    {
        entry.Size = 1;
        return Condition.Parse(text, ActivityFacts.Catalog).TryGet(out var condition, out _) ? condition : null;
    });

    public void Dispose()
    {
        paths.Dispose();
        conditions.Dispose();
    }
}

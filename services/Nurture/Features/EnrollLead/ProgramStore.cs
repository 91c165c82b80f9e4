using System.Text.Json;
using System.Text.Json.Serialization;
using Dapper;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Caching.Memory;

namespace Lifecycle.Nurture.Features.EnrollLead;

/// <summary>A program as the engine needs it.</summary>
internal sealed record ActiveProgram(Guid Id, ProgramPath Path);

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

    public static string ToJson(ProgramPath path) => JsonSerializer.Serialize(path, Json);

    public static ProgramPath Parse(string json) =>
        JsonSerializer.Deserialize<ProgramPath>(json, Json) ?? throw new InvalidOperationException("A program has no path.");

    public ProgramPath PathOf(Guid programId, int version, string json) => paths.GetOrCreate((programId, version), entry =>
    {
        entry.Size = 1;
        return Parse(json);
    })!;

    /// <summary>Every active program of the workspace.</summary>
    public async Task<IReadOnlyList<ActiveProgram>> Active(Transaction<NurtureDbContext> tx)
    {
        var rows = await tx.Connection.QueryAsync<(Guid Id, int Version, string Path)>(new CommandDefinition(
            "select id, version, path from program where workspace_id = @workspace and state = 'ACTIVE' order by id",
            new { workspace = tx.WorkspaceId },
            cancellationToken: tx.CancellationToken));
        return rows.Select(row => new ActiveProgram(row.Id, PathOf(row.Id, row.Version, row.Path))).ToList();
    }

    public void Dispose() => paths.Dispose();
}

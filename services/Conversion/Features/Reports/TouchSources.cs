using System.Collections.Concurrent;
using Dapper;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>
/// What touches are, by their keys, and the groups that a question puts them in. Each is read once. Safe for concurrent use.
/// </summary>
/// <param name="dimensions">What touches are grouped by.</param>
public sealed class TouchSources(IReadOnlyList<string> dimensions)
{
    private readonly ConcurrentDictionary<long, TouchSource> known = [];
    private readonly ConcurrentDictionary<string, string> groups = new(StringComparer.Ordinal);

    /// <summary>The group of what has no touch.</summary>
    public string NoGroup { get; } = GroupKeys.Of(dimensions.Select(_ => ""));

    /// <summary>A touch that is loaded.</summary>
    public TouchSource this[long key] => known.TryGetValue(key, out var source) ? source : new() { Group = NoGroup };

    /// <summary>Reads the touches of conversions that are not known yet.</summary>
    public Task Load(Transaction<ConversionDbContext> tx, IReadOnlyList<ConversionRow> rows) =>
        Load(tx, rows.SelectMany(row => row.SourceKey is { } first ? (row.PathKeys ?? []).Append(first) : row.PathKeys ?? []));

    /// <summary>Reads the touches that are not known yet.</summary>
    public async Task Load(Transaction<ConversionDbContext> tx, IEnumerable<long> keys)
    {
        var missing = new HashSet<long>();
        foreach (var key in keys)
        {
            if (!known.ContainsKey(key))
            {
                missing.Add(key);
            }
        }

        if (missing.Count == 0)
        {
            return;
        }

        foreach (var source in await tx.Connection.QueryAsync<TouchSource>(new CommandDefinition(
            """
            select source_key, channel, source, medium, campaign, keyword, landing_page from lead_source
            where workspace_id = @workspace and source_key = any(@missing)
            """,
            new { workspace = tx.WorkspaceId, missing = missing.ToArray() },
            cancellationToken: tx.CancellationToken)))
        {
            // One text for all touches of a group: they are compared often.
            var group = GroupKeys.Of(dimensions.Select(source.Value));
            source.Group = groups.GetOrAdd(group, group);
            known.TryAdd(source.SourceKey, source);
        }
    }
}

/// <summary>Where a touch came from; empty texts for what is not known.</summary>
public sealed class TouchSource
{
    public long SourceKey { get; init; }

    public string Channel { get; init; } = "";

    public string Source { get; init; } = "";

    public string Medium { get; init; } = "";

    public string Campaign { get; init; } = "";

    public string Keyword { get; init; } = "";

    public string LandingPage { get; init; } = "";

    /// <summary>Its group in the question at hand.</summary>
    public string Group { get; set; } = "";

    public string Value(string dimension) => dimension switch
    {
        "channel" => Channel,
        "source" => Source,
        "medium" => Medium,
        "campaign" => Campaign,
        "keyword" => Keyword,
        _ => LandingPage,
    };
}

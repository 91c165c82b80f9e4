namespace Lifecycle.Scoring.Storage;

/// <summary>Totals computed by Postgres, for rankings over every lead.</summary>
internal static class TotalSql
{
    /// <summary>The total of a row's <c>state</c> at <c>@now</c>, as <see cref="Domain.ScoreState.TotalAt"/> computes it at
    /// <see cref="Live.LiveScore.ReadAt"/>.</summary>
    public const string Now =
        """
        (select sum((part->>'constant')::float8 + coalesce((
            select sum((bucket->>'points')::float8
                * power(2, -greatest(extract(epoch from @now - (state->>'at')::timestamptz)::float8, 0) / (bucket->>'halfLifeSeconds')::float8))
            from jsonb_array_elements(part->'buckets') bucket), 0))
        from unnest(array[state->'fit', state->'behavior', state->'bant']) part)
        """;
}

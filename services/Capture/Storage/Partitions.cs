using System.Collections.Concurrent;
using Dapper;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Storage;

/// <summary>
/// The months by which activities and sessions are partitioned. Ids are UUIDv7, which begin with the time: a partition holds the ids of one
/// month (UTC), so that whatever names an id reads one partition, and the key needs no second column.
/// </summary>
/// <remarks>
/// The functions <c>create_month</c> and <c>drop_months</c> run as the schema's owner; a new partition gets row-level security of its own
/// before it is attached. All before 2020 lies in one partition: what a sender may make up must not make hundreds of tables.
/// </remarks>
internal sealed class Partitions(UnitOfWork<CaptureDbContext> work)
{
    private readonly ConcurrentDictionary<DateOnly, bool> known = [];

    /// <summary>Makes the months that are missing. Not in the caller's transaction: several may need the same at once.</summary>
    public async Task Ensure(IEnumerable<DateTimeOffset> times, CancellationToken ct)
    {
        var missing = times.Select(MonthOf).Distinct().Where(month => !known.ContainsKey(month)).Order().ToArray();
        foreach (var month in missing)
        {
            await work.Run(Guid.Empty, tx => tx.Connection.ExecuteAsync("select create_month(@month)", new { month }), ct);
            known.TryAdd(month, true);
        }
    }

    /// <summary>Drops the months that end at or before the first of the given one; answers the tables dropped.</summary>
    public async Task<IReadOnlyList<string>> Drop(DateOnly month, CancellationToken ct)
    {
        IReadOnlyList<string> dropped = [];
        await work.Run(
            Guid.Empty,
            async tx => dropped = (await tx.Connection.QueryAsync<string>("select drop_months(@month)", new { month })).AsList(), ct);
        Forget();
        return dropped;
    }

    /// <summary>Asks the database anew: another replica may have dropped a month.</summary>
    public void Forget() => known.Clear();

    /// <summary>First day of the month (UTC).</summary>
    public static DateOnly MonthOf(DateTimeOffset time) => new(time.UtcDateTime.Year, time.UtcDateTime.Month, 1);

    /// <summary>The lowest id of a time: ids at or above it are of then or later. Lets a query by time leave partitions out.</summary>
    public static Guid FirstId(DateTimeOffset time)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        var milliseconds = Math.Max(time.ToUnixTimeMilliseconds(), 0);
        for (var index = 0; index < 6; index++)
        {
            bytes[index] = (byte)(milliseconds >> (40 - (8 * index)));
        }

        return new Guid(bytes, bigEndian: true);
    }
}

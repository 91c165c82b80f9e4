using System.Collections.Frozen;
using System.Security.Cryptography;
using Dapper;
using Lifecycle.Gateway.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace Lifecycle.Gateway.Keys;

/// <summary>What a key opens.</summary>
/// <param name="KeyId">Key; null for the bootstrap administrator's.</param>
/// <param name="Caller">On whose behalf its requests are made.</param>
/// <param name="IsPublishable">Opens ingest only.</param>
/// <param name="ExpireTime">When it stops working; null: never.</param>
public sealed record KeyGrant(Guid? KeyId, Caller Caller, bool IsPublishable, DateTimeOffset? ExpireTime);

/// <summary>
/// Finds what a key opens, in memory or in the database. Revocations are heard at once (<see cref="KeyChanges"/>); should one be missed, an
/// entry lives only for seconds.
/// </summary>
public sealed class KeyDirectory : IDisposable
{
    private static readonly TimeSpan UnknownLifetime = TimeSpan.FromSeconds(5);

    private readonly UnitOfWork<GatewayDbContext> work;
    private readonly TimeProvider time;
    private readonly MemoryCache cache;
    private readonly TimeSpan lifetime;
    private readonly byte[]? adminHash;
    private long generation;

    public KeyDirectory(
        UnitOfWork<GatewayDbContext> work, TimeProvider time, IOptions<GatewayOptions> options, IConfiguration configuration)
    {
        (this.work, this.time) = (work, time);
        lifetime = TimeSpan.FromSeconds(options.Value.KeyCacheSeconds);
        cache = new MemoryCache(new MemoryCacheOptions { SizeLimit = options.Value.CachedKeys });
        adminHash = configuration["LIFECYCLE_ADMIN_KEY"] is { Length: > 0 } admin ? KeyText.Hash(admin) : null;
    }

    /// <summary>What the key opens; null for one that is unknown, revoked or expired.</summary>
    public async ValueTask<KeyGrant?> Find(string key, CancellationToken cancellationToken)
    {
        var hash = KeyText.Hash(key);
        if (adminHash is not null && CryptographicOperations.FixedTimeEquals(hash, adminHash))
        {
            return Administrator;
        }

        if (!KeyText.IsWellFormed(key))
        {
            return null;
        }

        var id = Convert.ToHexStringLower(hash);
        if (!cache.TryGetValue<KeyGrant>(id, out var grant))
        {
            var before = Interlocked.Read(ref generation);
            grant = await Load(id, cancellationToken);
            cache.Set(id, grant,
                new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = grant is null ? UnknownLifetime : lifetime });
            if (Interlocked.Read(ref generation) != before)
            {
                // Something was revoked while the database was being asked: the answer may be of before. Looked at after it is kept, since
                // a revocation later than this finds it there.
                cache.Remove(id);
            }
        }

        return grant is { ExpireTime: { } end } && end <= time.GetUtcNow() ? null : grant;
    }

    /// <summary>The administrator acting in one workspace; null where there is no such workspace.</summary>
    public Task<KeyGrant?> Enter(Guid workspaceId, CancellationToken cancellationToken) => work.Read(workspaceId, async tx =>
    {
        var row = await tx.Connection.QuerySingleOrDefaultAsync<(string TimeZone, string CurrencyCode)?>(
            "select time_zone, currency_code from workspace where id = @workspaceId", new { workspaceId });
        return row is { } workspace
            ? Administrator with
            {
                Caller = Administrator.Caller with
                {
                    WorkspaceId = workspaceId,
                    TimeZone = Zone(workspace.TimeZone),
                    CurrencyCode = workspace.CurrencyCode
                }
            }
            : null;
    }, cancellationToken);

    /// <summary>Forgets one key.</summary>
    /// <param name="hash">Its hash, lowercase hex.</param>
    public void Forget(string hash)
    {
        Interlocked.Increment(ref generation);
        cache.Remove(hash);
    }

    /// <summary>Forgets all keys: changes may have been missed, or a workspace changed.</summary>
    public void ForgetAll()
    {
        Interlocked.Increment(ref generation);
        cache.Clear();
    }

    public void Dispose() => cache.Dispose();

    private static KeyGrant Administrator { get; } =
        new(null, new(Guid.Empty, TimeZoneInfo.Utc, "", "admin", FrozenSet.Create(StringComparer.Ordinal, Caller.Admin)), false, null);

    /// <summary>By the unique index on the hash; the policy <c>key_lookup</c> shows this one row.</summary>
    private Task<KeyGrant?> Load(string hash, CancellationToken cancellationToken) => work.Read(Guid.Empty, async tx =>
    {
        await tx.Connection.ExecuteAsync("select set_config('app.key_hash', @hash, true)", new { hash });
        var row = await tx.Connection.QuerySingleOrDefaultAsync<KeyRow>(
            """
            select k.id, k.workspace_id, k.kind, k.scopes, k.expire_time, w.time_zone, w.currency_code
            from api_key k join workspace w on w.id = k.workspace_id
            where k.key_hash = decode(@hash, 'hex') and k.revoke_time is null
            """,
            new { hash });
        return row is null ? null : new KeyGrant(
            row.Id,
            new(row.WorkspaceId, Zone(row.TimeZone), row.CurrencyCode, $"key:{row.Id}", row.Scopes.ToFrozenSet(StringComparer.Ordinal)),
            row.Kind == "PUBLISHABLE",
            row.ExpireTime);
    }, cancellationToken);

    private static TimeZoneInfo Zone(string id) => TimeZoneInfo.FindSystemTimeZoneById(id);

    private sealed class KeyRow
    {
        public Guid Id { get; init; }

        public Guid WorkspaceId { get; init; }

        public string Kind { get; init; } = "";

        public string[] Scopes { get; init; } = [];

        public DateTimeOffset? ExpireTime { get; init; }

        public string TimeZone { get; init; } = "";

        public string CurrencyCode { get; init; } = "";
    }
}

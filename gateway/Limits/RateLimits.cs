using System.Threading.RateLimiting;
using Lifecycle.Gateway.Keys;
using Lifecycle.Kernel;
using Microsoft.Extensions.Options;

namespace Lifecycle.Gateway.Limits;

/// <summary>
/// Token buckets: one per key, and one per client address for requests without a valid key. Addresses share a fixed number of buckets, so
/// that forged ones cost no memory; idle buckets of keys are given back.
/// </summary>
internal sealed class RateLimits : IDisposable
{
    private const int AddressBuckets = 4096;

    private readonly PartitionedRateLimiter<Guid> keys;
    private readonly PartitionedRateLimiter<int> addresses;

    public RateLimits(IOptions<GatewayOptions> options)
    {
        keys = Limiter<Guid>(options.Value.KeyRequestsPerSecond, options.Value.KeyBurst);
        addresses = Limiter<int>(options.Value.AddressRequestsPerSecond, options.Value.AddressBurst);
    }

    /// <summary>Null, or RESOURCE_EXHAUSTED with the delay after which the key may call again.</summary>
    public Error? Admit(KeyGrant grant) => Take(keys, grant.KeyId ?? Guid.Empty, "The key calls too often.");

    /// <summary>As above, by client address.</summary>
    public Error? Admit(HttpContext context) =>
        Take(addresses, (context.Connection.RemoteIpAddress?.GetHashCode() ?? 0) & (AddressBuckets - 1), "This address calls too often.");

    public void Dispose()
    {
        keys.Dispose();
        addresses.Dispose();
    }

    private static Error? Take<T>(PartitionedRateLimiter<T> limiter, T partition, string message)
    {
        using var lease = limiter.AttemptAcquire(partition);
        if (lease.IsAcquired)
        {
            return null;
        }

        return Error.Exhausted(message, lease.TryGetMetadata(MetadataName.RetryAfter, out var delay) ? delay : TimeSpan.FromSeconds(1));
    }

    private static PartitionedRateLimiter<T> Limiter<T>(int perSecond, int burst)
        where T : notnull => PartitionedRateLimiter.Create<T, T>(partition => RateLimitPartition.GetTokenBucketLimiter(partition, _ => new()
        {
            TokenLimit = Math.Max(burst, 1),
            TokensPerPeriod = Math.Max(perSecond / 10, 1),
            ReplenishmentPeriod = perSecond >= 10 ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromSeconds(1.0 / perSecond),
            QueueLimit = 0,
        }));
}

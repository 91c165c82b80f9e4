using System.Net.Sockets;
using Grpc.Core;
using Npgsql;

namespace Lifecycle.Postgres;

/// <summary>Tells apart what passes by itself from what does not.</summary>
internal static class Faults
{
    /// <summary>Deadlock or serialization failure: the same work can succeed at once.</summary>
    public static bool IsConflict(Exception exception) =>
        Chain(exception).OfType<PostgresException>()
            .Any(fault => fault.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected);

    /// <summary>A server is out of reach, restarts or is overloaded: the same work succeeds later.</summary>
    public static bool IsTransient(Exception exception) => Chain(exception).Any(IsTransientItself);

    private static bool IsTransientItself(Exception exception) => exception switch
    {
        PostgresException fault => fault.IsTransient || fault.SqlState is PostgresErrorCodes.SerializationFailure
            or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
            or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.TooManyConnections,
        NpgsqlException fault => fault.IsTransient,
        RpcException fault => fault.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.ResourceExhausted,
        SocketException or HttpRequestException or TimeoutException => true,
        // By name, because most services do without the Redis client.
        _ => exception.GetType().FullName is "StackExchange.Redis.RedisConnectionException" or "StackExchange.Redis.RedisTimeoutException",
    };

    private static IEnumerable<Exception> Chain(Exception exception)
    {
        for (var current = exception; current is not null; current = current.InnerException)
        {
            yield return current;
        }
    }
}

using System.Net.Sockets;
using Grpc.Core;
using Lifecycle.Postgres;
using Npgsql;

namespace Lifecycle.Shared.UnitTests.Postgres;

public sealed class FaultsTests
{
    private static PostgresException Deadlock => new("deadlock", "ERROR", "ERROR", PostgresErrorCodes.DeadlockDetected);

    public static TheoryData<Exception, bool> Examples => new()
    {
        { new NpgsqlException("gone", new SocketException(111)), true },
        { new PostgresException("shutdown", "FATAL", "FATAL", PostgresErrorCodes.AdminShutdown), true },
        { new PostgresException("full", "FATAL", "FATAL", PostgresErrorCodes.TooManyConnections), true },
        { new InvalidOperationException("wrapped", Deadlock), true },
        { new PostgresException("twice", "ERROR", "ERROR", PostgresErrorCodes.UniqueViolation), false },
        { new RpcException(new Status(StatusCode.Unavailable, "")), true },
        { new RpcException(new Status(StatusCode.DeadlineExceeded, "")), true },
        { new RpcException(new Status(StatusCode.NotFound, "")), false },
        { new InvalidOperationException("a bug"), false },
        { new OperationCanceledException(), false },
    };

    [Theory]
    [MemberData(nameof(Examples), DisableDiscoveryEnumeration = true)]
    public void IsTransient_Exception_TellsOutagesFromBugs(Exception exception, bool expected) =>
        Assert.Equal(expected, Faults.IsTransient(exception));

    [Fact]
    public void IsConflict_DeadlockOnly_WhereverItIsWrapped()
    {
        Assert.True(Faults.IsConflict(new InvalidOperationException("wrapped", Deadlock)));
        Assert.False(Faults.IsConflict(new PostgresException("twice", "ERROR", "ERROR", PostgresErrorCodes.UniqueViolation)));
    }

    [Theory]
    [InlineData(1, 0.5, 1)]
    [InlineData(3, 2, 4)]
    [InlineData(50, 15, 30)]
    public void Delay_Attempt_DoublesUpToTheCap(int attempt, double least, double most) => Assert.All(
        Enumerable.Range(0, 1000).Select(_ => Backoff.Delay(attempt, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30)).TotalSeconds),
        seconds => Assert.InRange(seconds, least, most));
}

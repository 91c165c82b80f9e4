using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;
using Granularity = Lifecycle.Kernel.Granularity;
using Money = Lifecycle.Kernel.Money;
using ProtoGranularity = Lifecycle.Common.V1.Granularity;
using ProtoMoney = Lifecycle.Common.V1.Money;
using ProtoStage = Lifecycle.Common.V1.Stage;
using Stage = Lifecycle.Kernel.Stage;

namespace Lifecycle.Shared.UnitTests.Rpc;

public sealed class ValueTests
{
    private static readonly IdentityToken Tokens = new(
        Options.Create(new IdentityOptions { IdentitySecret = Convert.ToBase64String(new byte[32]) }), TimeProvider.System);

    [Fact]
    public void IdentityToken_ComesBackAsItWasIssued()
    {
        var caller = new Caller(
            Guid.Parse("0195a000-0000-7000-8000-000000000001"), TimeZoneInfo.FindSystemTimeZoneById("America/New_York"), "USD", "key:9",
            new HashSet<string> { "a:read", "admin" });

        var verified = Tokens.Verify(Tokens.Issue(caller)).Value;

        Assert.Equal((caller.WorkspaceId, caller.TimeZone, "USD", "key:9"), (
            verified.WorkspaceId, verified.TimeZone, verified.CurrencyCode, verified.Actor));
        Assert.Equal(caller.Scopes.Order(), verified.Scopes.Order());
        Assert.True(verified.HasScope("anything"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("AAAA")]
    public void IdentitySecret_TooShort_IsRefusedAtTheStart(string secret) =>
        Assert.Single(new IdentityOptions { IdentitySecret = secret }.Validate(new(new object())));

    [Fact]
    public void Error_ComesBackFromItsStatus()
    {
        var error = Error.Invalid([new("a.b", "one"), new("c", "two")]) with { RetryAfter = TimeSpan.FromSeconds(1.5) };

        var back = RpcErrors.ToException(error).ToError();

        Assert.Equal((error.Kind, error.Message, error.RetryAfter), (back.Kind, back.Message, back.RetryAfter));
        Assert.Equal(error.Violations, back.Violations);
    }

    [Theory]
    [InlineData(ErrorKind.InvalidArgument, StatusCode.InvalidArgument)]
    [InlineData(ErrorKind.Unauthenticated, StatusCode.Unauthenticated)]
    [InlineData(ErrorKind.PermissionDenied, StatusCode.PermissionDenied)]
    [InlineData(ErrorKind.NotFound, StatusCode.NotFound)]
    [InlineData(ErrorKind.AlreadyExists, StatusCode.AlreadyExists)]
    [InlineData(ErrorKind.Aborted, StatusCode.Aborted)]
    [InlineData(ErrorKind.FailedPrecondition, StatusCode.FailedPrecondition)]
    [InlineData(ErrorKind.ResourceExhausted, StatusCode.ResourceExhausted)]
    [InlineData(ErrorKind.OutOfRange, StatusCode.OutOfRange)]
    [InlineData(ErrorKind.Unavailable, StatusCode.Unavailable)]
    public void ErrorKind_HasItsStatus(ErrorKind kind, StatusCode status)
    {
        var exception = RpcErrors.ToException(new Error(kind, "x"));

        Assert.Equal(status, exception.StatusCode);
        Assert.Equal(kind, exception.ToError().Kind);
    }

    [Theory]
    [InlineData(StatusCode.NotFound, typeof(RpcErrorException))]
    [InlineData(StatusCode.Unavailable, typeof(RpcException))]
    [InlineData(StatusCode.Unauthenticated, typeof(RpcException))]
    public void Relay_PassesOnTheCallersFaultsOnly(StatusCode status, Type type) =>
        Assert.IsType(type, new RpcException(new Status(status, "x")).Relay());

    [Fact]
    public void Messages_AndKernelValues_AreTheSame()
    {
        Assert.Equal(new ProtoMoney { CurrencyCode = "EUR", Amount = "12000.00" }, new Money("EUR", 12000).ToProto());
        Assert.Equal(new Money("EUR", 12000), new ProtoMoney { CurrencyCode = "EUR", Amount = "12000.00" }.Parse().Value);
        Assert.Equal(["currencyCode", "amount"], new ProtoMoney { CurrencyCode = "€", Amount = "much" }.Parse().Error!.Violations.Select(
            violation => violation.Field));
        foreach (var stage in Enum.GetValues<Stage>())
        {
            Assert.Equal(stage, stage.ToProto().ToKernel());
            Assert.Equal(stage.Name(), stage.ToProto().ToString().ToUpperInvariant());
        }

        Assert.Null(ProtoStage.Unspecified.ToKernel());
        Assert.Equal(Granularity.Month, ProtoGranularity.Unspecified.ToKernel());
        Assert.Equal(Granularity.Week, ProtoGranularity.Week.ToKernel());
    }

    [Fact]
    public void ProtoJson_Parse_NamesEveryFault()
    {
        var error = ProtoJson.Parse<ImportResponse>("""{"created":"x","rejected":[{"line":1.5}],"who":1}""").Error!;

        Assert.Equal(["created", "rejected[0].line", "who"], error.Violations.Select(violation => violation.Field));
        Assert.Equal(3, ProtoJson.Parse<ImportResponse>("""{"created":3}""").Value.Created);
    }
}

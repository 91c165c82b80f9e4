using Grpc.Core;
using Lifecycle.Rpc;
using Lifecycle.Testing;
using Lifecycle.Testing.V1;
using Microsoft.Extensions.Options;

namespace Lifecycle.Shared.IntegrationTests.Rpc;

public sealed class AccessTests(RpcHost host) : IClassFixture<RpcHost>
{
    private static readonly string Secret = Convert.ToBase64String(new byte[32]);

    [Fact]
    public async Task Rest_WithoutIdentity_Is401()
    {
        var answer = await host.Send(HttpMethod.Get, "/v1/parcels/7");

        Assert.Equal((401, "application/problem+json", "Bearer"), (answer.Status, answer.Type, answer.Headers["WWW-Authenticate"]));
    }

    [Fact]
    public async Task Grpc_WithoutIdentity_IsUnauthenticated()
    {
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await Client.GetParcelAsync(new() { Id = "7" }));

        Assert.Equal(StatusCode.Unauthenticated, exception.StatusCode);
    }

    [Fact]
    public async Task Rest_WithoutTheScope_Is403AndNamesIt()
    {
        var answer = await host.Send(HttpMethod.Post, "/v1/parcels", RpcHost.Reader, new StringContent("{}"));

        Assert.Equal(403, answer.Status);
        Assert.Contains("capture:write", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Grpc_WithoutTheScope_IsPermissionDenied()
    {
        var exception = await Assert.ThrowsAsync<RpcException>(
            async () => await Client.CreateParcelAsync(new(), host.Calls.As(RpcHost.Reader, default)));

        Assert.Equal(
            (StatusCode.PermissionDenied, "The key lacks the scope capture:write."), (exception.StatusCode, exception.Status.Detail));
    }

    [Fact]
    public async Task Admin_OpensEveryMethod()
    {
        var admin = RpcHost.Reader with { Scopes = new HashSet<string> { "admin" } };

        Assert.Equal(200, (await host.Send(HttpMethod.Get, "/v1/parcels/7", admin)).Status);
    }

    [Fact]
    public async Task PublicMethod_NeedsNothing()
    {
        Assert.Equal(200, (await host.Send(HttpMethod.Get, "/v1/tariff")).Status);
        Assert.Equal("free", (await Client.GetTariffAsync(new())).Note);
    }

    [Fact]
    public async Task MethodBetweenServices_NeedsAnIdentityButNoScope()
    {
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await Client.MoveParcelAsync(new() { Id = "7" }));
        var moved = await Client.MoveParcelAsync(
            new() { Id = "7" }, host.Calls.As(RpcHost.Reader with { Scopes = new HashSet<string>() }, default));

        Assert.Equal(StatusCode.Unauthenticated, exception.StatusCode);
        Assert.Equal("7", moved.Id);
    }

    [Theory]
    [InlineData("/open", 200)]
    [InlineData("/scoped", 200)]
    [InlineData("/forgotten", 403)]
    public async Task OtherEndpoints_AreClosedUnlessTheySay(string path, int status)
    {
        Assert.Equal(status, (await host.Send(HttpMethod.Get, path, RpcHost.Reader)).Status);
    }

    [Fact]
    public async Task Token_StaleForgedOrOfAnotherKey_IsRefused()
    {
        var past = new ManualTimeProvider(TimeProvider.System.GetUtcNow() - TimeSpan.FromSeconds(66));
        var stale = Tokens(Secret, past).Issue(RpcHost.Reader);
        var other = Tokens(Convert.ToBase64String(Enumerable.Repeat((byte)1, 32).ToArray()), TimeProvider.System).Issue(RpcHost.Reader);
        var good = host.Tokens.Issue(RpcHost.Reader);
        var parts = good.Split('.');
        var unsigned = $"{Convert.ToBase64String("{\"alg\":\"none\"}"u8).TrimEnd('=')}.{parts[1]}.";

        foreach (var token in new[] { stale, other, $"{parts[0]}.{parts[1]}x.{parts[2]}", unsigned, "x" })
        {
            var answer = await host.Send(
                HttpMethod.Get, "/v1/parcels/7", also: request => request.Headers.Add(IdentityToken.Header, token));
            Assert.Equal(401, answer.Status);
        }
    }

    [Fact]
    public async Task UnknownMethod_IsUnimplemented()
    {
        var method = new Method<Parcel, Parcel>(
            MethodType.Unary,
            "lifecycle.testing.v1.ParcelService",
            "LoseParcel",
            Marshallers.Create(parcel => Google.Protobuf.MessageExtensions.ToByteArray(parcel), Parcel.Parser.ParseFrom),
            Marshallers.Create(parcel => Google.Protobuf.MessageExtensions.ToByteArray(parcel), Parcel.Parser.ParseFrom));

        var exception = await Assert.ThrowsAsync<RpcException>(
            async () => await host.Channel.CreateCallInvoker().AsyncUnaryCall(
                method, null, host.Calls.As(RpcHost.Reader, default), new Parcel()));

        Assert.Equal(StatusCode.Unimplemented, exception.StatusCode);
    }

    private ParcelService.ParcelServiceClient Client => new(host.Channel);

    private static IdentityToken Tokens(string secret, TimeProvider time) =>
        new(Options.Create(new IdentityOptions { IdentitySecret = secret }), time);
}

using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Lifecycle.Testing.V1;

namespace Lifecycle.Shared.IntegrationTests.Rpc;

/// <summary>The same call gives the same answer by gRPC and by REST.</summary>
public sealed class AgreementTests(RpcHost host) : IClassFixture<RpcHost>
{
    [Fact]
    public async Task Answer_IsTheSame()
    {
        var parcel = new Parcel
        {
            Id = "ä/7",
            State = Parcel.Types.State.Sent,
            Grams = long.MaxValue,
            Volume = 0.1,
            Seal = ByteString.CopyFrom(1, 2, 255),
            SendTime = new Timestamp { Seconds = 1_774_958_400, Nanos = 120_000_000 },
            Transit = Duration.FromTimeSpan(TimeSpan.FromMinutes(90)),
            Labels = { "a", "<b>" },
            Marks = { ["k"] = "v" },
            Price = new() { CurrencyCode = "JPY", Amount = "12" },
            Box = "4",
            Extra = Struct.Parser.ParseJson("""{"n":null,"list":[1,true,{"x":"y"}],"f":1.5}"""),
            Inner = { new Parcel { Pieces = 2, Note = "" } },
            Slots = { [3] = new Parcel { Fragile = true } },
        };

        var byGrpc = await Client.CreateParcelAsync(parcel, host.Calls.As(RpcHost.Writer, default));
        var byRest = await host.Send(HttpMethod.Post, "/v1/parcels", RpcHost.Writer, new StringContent(
            JsonFormatter.Default.Format(parcel), Encoding.UTF8, "application/json"));

        Assert.Equal(parcel, byGrpc);
        Assert.Equal(parcel, JsonParser.Default.Parse<Parcel>(byRest.Body));
        var google = new JsonFormatter(JsonFormatter.Settings.Default.WithFormatDefaultValues(true)).Format(parcel);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(google), JsonNode.Parse(byRest.Body)), byRest.Body);
    }

    [Fact]
    public async Task Violations_AreTheSame()
    {
        var parcel = new Parcel { Pieces = -1, Grams = -1 };

        var byGrpc = (await Assert.ThrowsAsync<RpcException>(
            async () => await Client.CreateParcelAsync(parcel, host.Calls.As(RpcHost.Writer, default)))).ToError();
        var byRest = await host.Send(HttpMethod.Post, "/v1/parcels", RpcHost.Writer, new StringContent(
            """{"pieces":-1,"grams":-1}""", Encoding.UTF8, "application/json"));

        Assert.Equal(ErrorKind.InvalidArgument, byGrpc.Kind);
        var errors = JsonNode.Parse(byRest.Body)!["errors"]!.AsArray();
        Assert.Equal(byGrpc.Violations, errors.Select(error => new FieldViolation((string)error!["field"]!, (string)error["message"]!)));
        Assert.Equal(byGrpc.Message, (string?)JsonNode.Parse(byRest.Body)!["detail"]);
    }

    [Fact]
    public async Task Create_WhatJsonCannotSay_NamesEveryFault()
    {
        var parcel = new Parcel
        {
            SendTime = new Timestamp { Seconds = 1_774_958_400_000 },
            Extra = new Struct
            {
                Fields =
                {
                    ["none"] = new Value(),
                    ["list"] = Value.ForList(
                        Value.ForNumber(1), Value.ForStruct(new() { Fields = { ["n"] = Value.ForNumber(double.NaN) } })),
                },
            },
            Inner = { new Parcel(), new Parcel { SendTime = new Timestamp { Nanos = -1 } } },
            Slots = { [3] = new Parcel { SendTime = new Timestamp { Seconds = long.MinValue } } },
            RequestId = new string('r', 256),
        };

        var error = (await Assert.ThrowsAsync<RpcException>(
            async () => await Client.CreateParcelAsync(parcel, host.Calls.As(RpcHost.Writer, default)))).ToError();

        Assert.Equal(ErrorKind.InvalidArgument, error.Kind);
        Assert.Equal(
            ["extra.list[1].n", "extra.none", "inner[1].sendTime", "requestId", "sendTime", "slots.3.sendTime"],
            error.Violations.Select(violation => violation.Field).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("not-found", StatusCode.NotFound)]
    [InlineData("exhausted", StatusCode.ResourceExhausted)]
    [InlineData("unkeepable", StatusCode.InvalidArgument)]
    [InlineData("bug", StatusCode.Internal)]
    [InlineData("downstream-not-found", StatusCode.Internal)]
    [InlineData("downstream-slow", StatusCode.DeadlineExceeded)]
    public async Task Failures_AreTheSame(string how, StatusCode status)
    {
        var byGrpc = await Assert.ThrowsAsync<RpcException>(
            async () => await Client.FailParcelAsync(new() { How = how }, host.Calls.As(RpcHost.Reader, default)));
        var byRest = await host.Send(HttpMethod.Get, $"/v1/failures/{how}", RpcHost.Reader);

        Assert.Equal(status, byGrpc.StatusCode);
        Assert.Equal(RpcErrors.Name(status), (string?)JsonNode.Parse(byRest.Body)!["code"]);
        Assert.Equal(how == "exhausted" ? TimeSpan.FromSeconds(2.5) : null, byGrpc.ToError().RetryAfter);
        Assert.DoesNotContain("secret", byGrpc.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_IsTheSame()
    {
        using var call = Client.ImportParcels(host.Calls.As(RpcHost.Writer, default));
        await call.RequestStream.WriteAsync(
            new ImportChunk { ContentType = "text/csv", RequestId = "r", Data = ByteString.CopyFromUtf8("email,na") });
        await call.RequestStream.WriteAsync(new ImportChunk { Data = ByteString.CopyFromUtf8("me\na@x.io,Ann\n") });
        await call.RequestStream.CompleteAsync();
        var byGrpc = await call;

        var byRest = await host.Send(
            HttpMethod.Post, "/v1/parcels:import", RpcHost.Writer, new StringContent("email,name\na@x.io,Ann\n", Encoding.UTF8, "text/csv"),
            request => request.Headers.Add("Idempotency-Key", "r"));

        Assert.Equal(byGrpc, JsonParser.Default.Parse<ImportSummary>(byRest.Body));
        Assert.Equal("2: email=a@x.io, name=Ann", Assert.Single(byGrpc.Lines));
    }

    [Fact]
    public async Task Stream_DeadlineOfTheCaller_EndsTheMethod()
    {
        using var call = Client.WatchParcels(new() { Count = -1 }, host.Calls.As(RpcHost.Reader, default, TimeSpan.FromMilliseconds(200)));

        var exception = await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseStream.MoveNext(default));

        Assert.Equal(StatusCode.DeadlineExceeded, exception.StatusCode);
    }

    private ParcelService.ParcelServiceClient Client => new(host.Channel);
}

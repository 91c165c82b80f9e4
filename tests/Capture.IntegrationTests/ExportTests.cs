using System.Net;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Capture.Storage;
using Lifecycle.Common.V1;
using Lifecycle.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Capture.IntegrationTests;

/// <summary>The export joins what five services hold; the four others are answered for by a server in this process.</summary>
public sealed class ExportTests
{
    // More than a gRPC client takes unless it is told.
    private static readonly string Notes = new('n', 5 * 1024 * 1024);

    [Fact]
    public async Task Export_Lead_JoinsEveryServiceAndSaysWhenOneIsAway()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        await using var others = builder.Build();
        others.MapGrpcService<Others>();
        await others.StartAsync();
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        await using var broker = await TestVirtualHost.Create();
        var environment = ServiceEnvironment.For(database, broker);
        foreach (var name in new[] { "scoring", "nurture", "conversion", "retention" })
        {
            environment[$"services__{name}__grpc__0"] = others.Urls.Single();
        }

        await using var service = ServiceProcess.Create("Capture", environment);
        await service.Start();
        var workspace = new CaptureClient(service, Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddYears(56)), "UTC", "USD");
        await workspace.Batch(Messages.Walk("a", "ada@acme.example"));
        var id = (await workspace.Get("/v1/leads")).Body["leads"]![0]!["id"]!.GetValue<string>();

        var (status, body) = await workspace.Get($"/v1/leads/{id}:export");

        Assert.Equal((HttpStatusCode.OK, id), (status, body["leadId"]!.GetValue<string>()));
        Assert.Equal(["capture", "conversion", "nurture", "retention", "scoring"], body["data"]!.AsObject().Select(member => member.Key)
            .Order(StringComparer.Ordinal));
        Assert.Equal(id, body["data"]!["scoring"]!["echo"]!.GetValue<string>());
        Assert.Equal(Notes, body["data"]!["scoring"]!["notes"]!.GetValue<string>());
        Assert.Equal((1, 2, 6), (Count("identities"), Count("sessions"), Count("activities")));
        Assert.Equal("ada@acme.example", body["data"]!["capture"]!["lead"]![0]!["email"]!.GetValue<string>());

        await others.StopAsync();
        service.Expect("ExportLead");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await workspace.Get($"/v1/leads/{id}:export")).Status);

        int Count(string kind) => body["data"]!["capture"]![kind]!.AsArray().Count;
    }

    private sealed class Others : PersonDataService.PersonDataServiceBase
    {
        public override Task<ExportPersonResponse> ExportPerson(ExportPersonRequest request, ServerCallContext context)
        {
            Assert.Contains(context.RequestHeaders, header => header.Key == "x-lifecycle-identity");
            return Task.FromResult(new ExportPersonResponse
            {
                Data = new() { Fields = { ["echo"] = Value.ForString(request.LeadId), ["notes"] = Value.ForString(Notes) } }
            });
        }
    }
}

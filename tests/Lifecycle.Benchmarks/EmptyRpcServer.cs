using System.Net;
using Lifecycle.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Lifecycle.Benchmarks;

/// <summary>Answers every gRPC call with an empty message, at once: what a call costs where nothing is done for it.</summary>
internal sealed class EmptyRpcServer : IAsyncDisposable
{
    private static readonly byte[] EmptyMessage = new byte[5];
    private readonly WebApplication app;

    private EmptyRpcServer(WebApplication app, int port) => (this.app, Port) = (app, port);

    public int Port { get; }

    public static async Task<EmptyRpcServer> Start()
    {
        var port = FreePorts.Find(1)[0];
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        app.Run(Answer);
        await app.StartAsync();
        return new(app, port);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private static async Task Answer(HttpContext http)
    {
        while ((await http.Request.BodyReader.ReadAsync(http.RequestAborted)) is var read)
        {
            http.Request.BodyReader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                break;
            }
        }

        http.Response.ContentType = "application/grpc";
        http.Response.DeclareTrailer("grpc-status");
        await http.Response.BodyWriter.WriteAsync(EmptyMessage, http.RequestAborted);
        http.Response.AppendTrailer("grpc-status", "0");
    }
}

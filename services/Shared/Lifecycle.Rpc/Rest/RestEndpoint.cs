using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Rpc.Errors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Lifecycle.Rpc.Rest;

/// <summary>Serves gRPC methods over REST by calling them in process.</summary>
internal static class RestEndpoint
{
    public static void Map<TService>(IEndpointRouteBuilder endpoints, RpcMethod method)
        where TService : class
    {
        var descriptor = method.Descriptor;
        var invoker = (IRestInvoker)Activator.CreateInstance(
            typeof(RestInvoker<,,>).MakeGenericType(typeof(TService), descriptor.InputType.ClrType, descriptor.OutputType.ClrType),
            method)!;
        endpoints.MapMethods(method.Rest!.Path, [method.Rest.Verb], context => Handle(context, method, invoker))
            .WithMetadata(method.AccessMetadata, method)
            .WithDisplayName($"{method.Rest.Verb} {method.Rest.Path} {method.FullName}");
    }

    private static async Task Handle(HttpContext http, RpcMethod method, IRestInvoker invoker)
    {
        var context = new RestCallContext(http, method.FullName);
        try
        {
            await invoker.Invoke(http, context);
        }
        catch (Exception exception)
        {
            if (exception is BadHttpRequestException bad)
            {
                await Fail(http, Problem.ForStatus(http, bad.StatusCode));
                return;
            }

            var status = http.RequestServices.GetRequiredService<ErrorInterceptor>().Translate(exception, context);
            await Fail(http, Problem.From(status, http));
        }
    }

    private static async Task Fail(HttpContext http, Problem problem)
    {
        if (!http.Response.HasStarted)
        {
            await problem.Write(http);
        }
        else if (!http.RequestAborted.IsCancellationRequested)
        {
            // Too late for a status: cut the answer, so that it is not taken for a whole one.
            http.Abort();
        }
    }
}

internal interface IRestInvoker
{
    Task Invoke(HttpContext http, RestCallContext context);
}

/// <summary>Binds, calls and answers one method; made once per method.</summary>
internal sealed class RestInvoker<TService, TRequest, TResponse> : IRestInvoker
    where TService : class
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>
{
    private static readonly ObjectFactory<TService> CreateService = ActivatorUtilities.CreateFactory<TService>([]);

    // Pooled segments: one array for a large answer would lie on the large object heap, and every few answers cost a full collection.
    private static readonly PipeOptions Whole = new(
        pauseWriterThreshold: 0, minimumSegmentSize: 16 * 1024, useSynchronizationContext: false);

    private readonly RequestBinder binder;
    private readonly CsvLayout? csv;
    private readonly Func<HttpContext, RestCallContext, Task> invoke;

    public RestInvoker(RpcMethod method)
    {
        binder = new RequestBinder(method);
        csv = method.Csv.Length > 0 ? new CsvLayout(method.Descriptor.OutputType, method.Csv) : null;
        invoke = (method.Descriptor.IsClientStreaming, method.Descriptor.IsServerStreaming) switch
        {
            (false, false) => Unary(Bind<Func<TService, TRequest, ServerCallContext, Task<TResponse>>>(method)),
            (false, true) => ServerStream(Bind<Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(method)),
            (true, false) when typeof(TRequest) == typeof(ImportChunk) =>
                Import(method.Media, (Func<TService, IAsyncStreamReader<ImportChunk>, ServerCallContext, Task<TResponse>>)(object)
                    Bind<Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>>>(method)),
            _ => throw new NotSupportedException(
                $"{method.FullName}: only streams of ImportChunk and streamed answers are served over REST."),
        };
    }

    public Task Invoke(HttpContext http, RestCallContext context) => invoke(http, context);

    private static TDelegate Bind<TDelegate>(RpcMethod method)
        where TDelegate : Delegate
    {
        var parameters = typeof(TDelegate).GetMethod("Invoke")!.GetParameters();
        var implementation = typeof(TService).GetMethod(
            method.Descriptor.Name, parameters.Skip(1).Select(parameter => parameter.ParameterType).ToArray())
            ?? throw new ArgumentException($"{typeof(TService)} has no method {method.Descriptor.Name}.");
        return implementation.CreateDelegate<TDelegate>();
    }

    private Func<HttpContext, RestCallContext, Task> Unary(
        Func<TService, TRequest, ServerCallContext, Task<TResponse>> call) => async (http, context) =>
        {
            var request = new TRequest();
            if (await binder.Bind(request, http) is { } problem)
            {
                await problem.Write(http);
                return;
            }

            await Answer(http, await call(CreateService(http.RequestServices, []), request, context), csv);
        };

    private Func<HttpContext, RestCallContext, Task> ServerStream(
        Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task> call) => async (http, context) =>
    {
        var request = new TRequest();
        if (await binder.Bind(request, http) is { } problem)
        {
            await problem.Write(http);
            return;
        }

        StreamResumption.Take(request, http);
        var heartbeat = TimeSpan.FromSeconds(http.RequestServices.GetRequiredService<IOptions<RpcOptions>>().Value.HeartbeatSeconds);
        await using var writer = new EventStreamWriter<TResponse>(http, heartbeat, http.RequestServices.GetRequiredService<TimeProvider>());
        var running = call(CreateService(http.RequestServices, []), request, writer, context);
        writer.Begin();
        await running;
        await writer.Complete();
    };

    private static Func<HttpContext, RestCallContext, Task> Import(
        string media, Func<TService, IAsyncStreamReader<ImportChunk>, ServerCallContext, Task<TResponse>> call) => async (http, context) =>
    {
        if (ImportBody.Open(http, media, out var chunks) is { } problem)
        {
            await problem.Write(http);
            return;
        }

        // A file of any size is taken; the rate at which it is read bounds the memory.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }

        await Answer(http, await call(CreateService(http.RequestServices, []), chunks!, context));
    };

    private static async Task Answer(HttpContext http, TResponse response, CsvLayout? csv = null)
    {
        var asCsv = csv is not null && AcceptedTypes.PrefersCsv(http.Request.Headers.Accept);
        var written = new Pipe(Whole);
        if (asCsv)
        {
            written.Writer.Write(csv!.Write(response));
        }
        else
        {
            MessageWriter.Write(written.Writer, response);
        }

        await written.Writer.CompleteAsync();
        var body = (await written.Reader.ReadAsync(http.RequestAborted)).Buffer;
        http.Response.StatusCode = StatusCodes.Status200OK;
        http.Response.ContentType = asCsv ? CsvText.ContentType : "application/json";
        if (csv is not null)
        {
            http.Response.Headers.Vary = "Accept";
        }

        foreach (var (name, value) in asCsv ? csv!.Headers(response) : [])
        {
            http.Response.Headers[name] = value;
        }

        http.Response.ContentLength = body.Length;
        foreach (var segment in body)
        {
            await http.Response.BodyWriter.WriteAsync(segment, http.RequestAborted);
        }

        await written.Reader.CompleteAsync();
    }
}

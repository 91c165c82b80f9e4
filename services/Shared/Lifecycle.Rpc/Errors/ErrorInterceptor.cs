using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Lifecycle.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lifecycle.Rpc.Errors;

/// <summary>Turns whatever leaves a gRPC method into a status that tells the caller no more than it should know.</summary>
internal sealed partial class ErrorInterceptor(ILogger<ErrorInterceptor> logger, TimeProvider time) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            Check(request, context);
            return await continuation(request, context);
        }
        catch (Exception exception)
        {
            throw Translate(exception, context);
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(requestStream, context);
        }
        catch (Exception exception)
        {
            throw Translate(exception, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            Check(request, context);
            await continuation(request, responseStream, context);
        }
        catch (Exception exception)
        {
            throw Translate(exception, context);
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(requestStream, responseStream, context);
        }
        catch (Exception exception)
        {
            throw Translate(exception, context);
        }
    }

    /// <summary>Also used by REST, so that both surfaces tell and log the same.</summary>
    internal RpcException Translate(Exception exception, ServerCallContext context)
    {
        var traceId = Problem.TraceIdOf(context.GetHttpContext());
        var translated = RpcErrors.Translate(
            exception, context.Deadline, time.GetUtcNow().UtcDateTime, traceId, out var logged, context.CancellationToken);
        if (logged)
        {
            LogFailed(context.Method, translated.StatusCode, traceId, exception);
        }

        return translated;
    }

    private static void Check<TRequest>(TRequest request, ServerCallContext context)
    {
        if (request is not IMessage message
            || context.GetHttpContext().GetEndpoint()?.Metadata.GetMetadata<TakesItemsApartAttribute>() is not null)
        {
            return;
        }

        var violations = new Violations();
        if (message.Descriptor.FindFieldByName("request_id") is { FieldType: FieldType.String, IsRepeated: false } requestId)
        {
            violations.RequireRequestId((string)requestId.Accessor.GetValue(message));
        }

        violations.RequireWellFormed(message);
        violations.OrThrow();
    }

    [LoggerMessage(EventId = 2001, Level = LogLevel.Error, Message = "{Method} failed with {Status}, trace {TraceId}")]
    private partial void LogFailed(string method, StatusCode status, string traceId, Exception exception);
}

using System.Security.Cryptography;
using Dapper;
using Google.Protobuf;
using Lifecycle.Kernel;
using Npgsql;

namespace Lifecycle.Postgres;

/// <summary>Key of the idempotency table, with the request's hash.</summary>
internal sealed record RequestKey(Guid WorkspaceId, string Method, string RequestId, byte[] RequestHash)
{
    private const string WhereKey = "where workspace_id = @WorkspaceId and method = @Method and request_id = @RequestId";

    /// <summary>SHA-256 over the request's deterministic bytes, its field <c>request_id</c> left out.</summary>
    public static byte[] Hash(IMessage request)
    {
        var copy = request;
        if (request.Descriptor.FindFieldByName("request_id") is { } field)
        {
            copy = request.Descriptor.Parser.ParseFrom(request.ToByteString());
            field.Accessor.Clear(copy);
        }

        using var bytes = new MemoryStream(copy.CalculateSize());
        using (var output = new CodedOutputStream(bytes, leaveOpen: true) { Deterministic = true })
        {
            copy.WriteTo(output);
        }

        return SHA256.HashData(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <summary>Takes the key. A racing twin waits here until the one before it has committed or rolled back.</summary>
    /// <returns>False when the request was answered before.</returns>
    public async Task<bool> Claim(NpgsqlConnection connection, DateTimeOffset now, CancellationToken ct) =>
        await connection.ExecuteAsync(new CommandDefinition(
            """
            insert into idempotency (workspace_id, method, request_id, request_hash, created_at)
            values (@WorkspaceId, @Method, @RequestId, @RequestHash, @now) on conflict do nothing
            """,
            new { WorkspaceId, Method, RequestId, RequestHash, now }, cancellationToken: ct)) == 1;

    public Task Keep(NpgsqlConnection connection, IMessage response, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition(
            $"update idempotency set response = @response {WhereKey}",
            new { response = response.ToByteArray(), WorkspaceId, Method, RequestId }, cancellationToken: ct));

    public async Task<Result<TResponse>> Replay<TResponse>(NpgsqlConnection connection, CancellationToken ct)
        where TResponse : IMessage<TResponse>, new()
    {
        var (hash, response) = await connection.QuerySingleAsync<(byte[] Hash, byte[]? Response)>(new CommandDefinition(
            $"select request_hash, response from idempotency {WhereKey}",
            new { WorkspaceId, Method, RequestId }, cancellationToken: ct));
        if (!hash.AsSpan().SequenceEqual(RequestHash))
        {
            return Error.Aborted($"Request id {RequestId} was used before with another body.");
        }

        if (response is null)
        {
            return new Error(
                ErrorKind.NotFound, $"Request {RequestId} was answered before; the answer was erased with the person it spoke of.");
        }

        var answer = new TResponse();
        answer.MergeFrom(response);
        return answer;
    }
}

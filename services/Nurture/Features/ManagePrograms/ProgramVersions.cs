using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features.ManagePrograms;

/// <summary>
/// Versions of a program. Those on their way stay in the version by which they entered, so that a change shortens no wait, repeats no mail
/// and leads nobody astray; or they are moved by name of their step, where the change asks for it.
/// </summary>
internal static class ProgramVersions
{
    private static readonly ListFields Fields = new("version", "v.version", FieldKind.Whole);

    /// <summary>Makes the next version.</summary>
    public static async Task Replace(Transaction<NurtureDbContext> tx, ProgramRow row, ProgramPath path, bool moveEnrollments)
    {
        // What was written before versions were kept is kept now, as the one by which everybody on the way goes.
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into program_version (workspace_id, program_id, version, path, create_time)
            values (@workspace, @id, @version, @path::jsonb, @time) on conflict do nothing;
            update enrollment set path_version = case when @move then 0 else @version end
            where workspace_id = @workspace and program_id = @id and state = 'ACTIVE' and (@move or path_version = 0);
            """,
            new
            {
                workspace = tx.WorkspaceId,
                id = row.Id,
                version = row.Version,
                path = row.Path,
                time = row.UpdateTime,
                move = moveEnrollments
            },
            cancellationToken: tx.CancellationToken));
        (row.Path, row.Version) = (ProgramStore.ToJson(path), row.Version + 1);
        ProgramWriter.Keep(tx, row);
    }

    public static async Task<ListProgramVersionsResponse> List(
        UnitOfWork<NurtureDbContext> unitOfWork, ListProgramVersionsRequest request, ServerCallContext context)
    {
        var program = Requests.Id(request.ProgramId, "programId");
        var query = ListQuery.Parse(
            Fields, request.PageSize, request.PageToken, null, request.OrderBy, "version desc", program.ToString()).OrThrow();
        var rows = await unitOfWork.Read(context.Caller().WorkspaceId, async tx =>
        {
            (await ProgramWriter.Find(tx, program)).OrThrow();
            return await tx.Connection.QueryAsync<Listed>(new CommandDefinition(
                $"""
                select v.version, v.path, v.create_time, {query.PageKey}, (
                  select count(*) from enrollment e
                  where e.workspace_id = v.workspace_id and e.program_id = v.program_id and e.state = 'ACTIVE'
                    and (e.path_version = v.version or (e.path_version = 0 and p.version = v.version))) as active
                from program_version v join program p on p.workspace_id = v.workspace_id and p.id = v.program_id
                where v.program_id = @program and {query.Where} order by {query.OrderBy} limit {query.Limit}
                """,
                new DynamicParameters(query.Parameters).With("program", program),
                cancellationToken: tx.CancellationToken));
        }, context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new() { Versions = { page.Select(row => row.ToProto()) }, NextPageToken = next };
    }

    private sealed class Listed
    {
        public int Version { get; init; }

        public string Path { get; init; } = "";

        public DateTimeOffset CreateTime { get; init; }

        public long Active { get; init; }

        public string[] PageKey { get; init; } = [];

        public ProgramVersion ToProto()
        {
            var path = ProgramStore.Parse(Path);
            return new()
            {
                Version = Version,
                EntryTriggers = { path.EntryTriggers.Select(PathMessages.ToProto) },
                Steps = { path.Steps.Select(StepMessages.ToProto) },
                CreateTime = CreateTime.ToTimestamp(),
                Active = Active,
            };
        }
    }
}

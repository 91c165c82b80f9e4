using Lifecycle.Trial.Storage;
using Npgsql;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

public sealed class TenancyTests : TrialDatabase
{
    private readonly Guid other = Guid.CreateVersion7(Noon);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        foreach (var workspace in new[] { WorkspaceId, other })
        {
            await Database.UnitOfWork<TrialDbContext>().Run(workspace, tx =>
            {
                tx.Db.Moves.Add(NewMove(workspace, tx.NewId(), 1));
                return Task.CompletedTask;
            }, Ct);
        }
    }

    [Fact]
    public async Task Select_NoWorkspaceSet_SeesNothing() => Assert.Empty(await Select(null));

    [Fact]
    public async Task Select_WorkspaceSet_SeesItsOwnOnly() => Assert.Equal([WorkspaceId], await Select(WorkspaceId));

    [Fact]
    public async Task Insert_ForAnotherWorkspace_IsRefused()
    {
        var exception = await Assert.ThrowsAsync<PostgresException>(
            () => As(WorkspaceId, $"insert into move (workspace_id, lead_id, version) values ('{other}', '{other}', 2)"));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, exception.SqlState);
    }

    [Fact]
    public async Task Update_IntoAnotherWorkspace_IsRefused()
    {
        var exception = await Assert.ThrowsAsync<PostgresException>(() => As(WorkspaceId, $"update move set workspace_id = '{other}'"));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, exception.SqlState);
    }

    [Fact]
    public async Task Delete_AnotherWorkspacesRows_TouchesNone()
    {
        Assert.Equal(0, await As(WorkspaceId, $"delete from move where workspace_id = '{other}'"));
        Assert.Equal(2, await Count("move"));
    }

    [Theory]
    [InlineData("alter table move disable row level security")]
    [InlineData("drop policy workspace_isolation on move")]
    [InlineData("create table stolen (id int)")]
    [InlineData("set role trial_owner")]
    [InlineData("delete from migration_history")]
    [InlineData("truncate move")]
    public async Task Application_WayAroundTheRules_IsRefused(string sql)
    {
        var exception = await Assert.ThrowsAsync<PostgresException>(() => As(WorkspaceId, sql));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, exception.SqlState);
    }

    [Fact]
    public async Task Session_AfterTheTransaction_HasNoWorkspaceLeft()
    {
        await using var connection = await Database.Application.OpenConnectionAsync(Ct);
        await using (var transaction = await connection.BeginTransactionAsync(Ct))
        {
            await using var set = new NpgsqlCommand($"select set_config('app.workspace_id', '{WorkspaceId}', true)", connection);
            await set.ExecuteNonQueryAsync(Ct);
            await transaction.CommitAsync(Ct);
        }

        await using var select = new NpgsqlCommand("select count(*) from move", connection);
        Assert.Equal(0L, await select.ExecuteScalarAsync(Ct));
    }

    private async Task<List<Guid>> Select(Guid? workspace)
    {
        await using var connection = await Database.Application.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await Enter(connection, workspace);
        await using var command = new NpgsqlCommand("select workspace_id from move", connection);
        await using var reader = await command.ExecuteReaderAsync(Ct);
        var found = new List<Guid>();
        while (await reader.ReadAsync(Ct))
        {
            found.Add(reader.GetGuid(0));
        }

        return found;
    }

    private async Task<int> As(Guid workspace, string sql)
    {
        await using var connection = await Database.Application.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await Enter(connection, workspace);
        await using var command = new NpgsqlCommand(sql, connection);
        var rows = await command.ExecuteNonQueryAsync(Ct);
        await transaction.CommitAsync(Ct);
        return rows;
    }

    private static async Task Enter(NpgsqlConnection connection, Guid? workspace)
    {
        if (workspace is { } id)
        {
            await using var command = new NpgsqlCommand($"select set_config('app.workspace_id', '{id}', true)", connection);
            await command.ExecuteNonQueryAsync(Ct);
        }
    }
}

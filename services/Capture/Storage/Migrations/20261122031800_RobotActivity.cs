using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Capture.Storage.Migrations
{
    /// <summary>Keeps what devices did that their rate gave away as robots, so that a wrong judgement can be taken back.</summary>
    [DbContext(typeof(CaptureDbContext))]
    [Migration("20261122031800_RobotActivity")]
    public partial class RobotActivity : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            create table capture.robot_activity (like capture.activity including defaults);
            alter table capture.robot_activity add column found_at timestamptz not null default now();
            alter table capture.robot_activity add constraint pk_robot_activity primary key (workspace_id, visitor_id, id);
            create index ix_robot_activity_found_at on capture.robot_activity (workspace_id, found_at);
            """);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop table capture.robot_activity;");
    }
}

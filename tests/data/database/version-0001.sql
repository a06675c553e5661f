-- A platform's database as the first version made it, with rows; a dump by SQLite.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE input_artifact (
	id VARCHAR(36) NOT NULL, 
	item_id VARCHAR(36) NOT NULL, 
	name VARCHAR NOT NULL, 
	download_url VARCHAR(2083) NOT NULL, 
	metadata JSON NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(item_id) REFERENCES item (id)
);
INSERT INTO "input_artifact" VALUES('55555550-5555-4555-8555-555555555555','33333333-3333-4333-8333-333333333333','whole_slide_image','http://127.0.0.1:9/launchpad-local/0','{"checksum_base64_crc32c": "AAAAAA==", "resolution_mpp": 0.5, "width_px": 10, "height_px": 20, "media_type": "image/tiff"}');
INSERT INTO "input_artifact" VALUES('55555551-5555-4555-8555-555555555555','44444444-4444-4444-8444-444444444444','whole_slide_image','http://127.0.0.1:9/launchpad-local/1','{"checksum_base64_crc32c": "AAAAAA==", "resolution_mpp": 0.5, "width_px": 10, "height_px": 20, "media_type": "image/tiff"}');
CREATE TABLE installation (
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "installation" VALUES('hmac','LAUNCHPAD0123456789ABCDEF first-version-secret-key-of-a-test');
CREATE TABLE item (
	id VARCHAR(36) NOT NULL, 
	run_id VARCHAR(36) NOT NULL, 
	position INTEGER NOT NULL, 
	external_id VARCHAR(255) NOT NULL, 
	custom_metadata JSON, 
	state VARCHAR NOT NULL, 
	termination_reason VARCHAR, 
	error_code VARCHAR, 
	error_message VARCHAR, 
	terminated_at VARCHAR, 
	attempts INTEGER NOT NULL, 
	lease_until FLOAT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES run (id)
);
INSERT INTO "item" VALUES('33333333-3333-4333-8333-333333333333','11111111-1111-4111-8111-111111111111',0,'folder/a slide.svs','{"number": 1}','TERMINATED','SUCCEEDED',NULL,NULL,'2026-01-02T03:05:05.000000+00:00',1,NULL);
INSERT INTO "item" VALUES('44444444-4444-4444-8444-444444444444','22222222-2222-4222-8222-222222222222',0,'b.svs',NULL,'PROCESSING',NULL,NULL,NULL,NULL,1,1767409500.5);
CREATE TABLE object (
	bucket VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	size BIGINT NOT NULL, 
	crc32c VARCHAR NOT NULL, 
	etag VARCHAR NOT NULL, 
	content_type VARCHAR NOT NULL, 
	created VARCHAR NOT NULL, 
	file VARCHAR, 
	reference VARCHAR, 
	mtime_ns BIGINT, 
	inode BIGINT, 
	PRIMARY KEY (bucket, "key")
);
INSERT INTO "object" VALUES('launchpad-local','results/11111111-1111-4111-8111-111111111111/33333333-3333-4333-8333-333333333333/1',5,'AAAAAA==','0123456789abcdef0123456789abcdef-1','text/csv','2026-01-02T03:05:05.000000+00:00','ab/abababababababababababababababab',NULL,NULL,NULL);
INSERT INTO "object" VALUES('launchpad-local','uploads/slide.svs',7,'AAAAAA==','fedcba9876543210fedcba9876543210-1','application/octet-stream','2026-01-02T03:04:00.000000+00:00',NULL,'/slides/slide.svs',1767322800000000000,4711);
CREATE TABLE output_artifact (
	id VARCHAR(36) NOT NULL, 
	item_id VARCHAR(36) NOT NULL, 
	name VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	output VARCHAR NOT NULL, 
	termination_reason VARCHAR, 
	error_code VARCHAR, 
	error_message VARCHAR, 
	object_key VARCHAR, 
	metadata JSON, 
	PRIMARY KEY (id), 
	FOREIGN KEY(item_id) REFERENCES item (id)
);
INSERT INTO "output_artifact" VALUES('66666666-6666-4666-8666-666666666666','33333333-3333-4333-8333-333333333333','readout_generation:cell_readouts','TERMINATED','AVAILABLE','SUCCEEDED',NULL,NULL,'results/11111111-1111-4111-8111-111111111111/33333333-3333-4333-8333-333333333333/1','{"media_type": "text/csv", "checksum_base64_crc32c": "AAAAAA==", "size_bytes": 5}');
INSERT INTO "output_artifact" VALUES('77777777-7777-4777-8777-777777777777','44444444-4444-4444-8444-444444444444','readout_generation:cell_readouts','PENDING','NONE',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE run (
	id VARCHAR(36) NOT NULL, 
	application_id VARCHAR NOT NULL, 
	version_number VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	termination_reason VARCHAR, 
	error_code VARCHAR, 
	error_message VARCHAR, 
	custom_metadata JSON, 
	callback_context JSON, 
	submitted_at VARCHAR NOT NULL, 
	submitted_by VARCHAR NOT NULL, 
	organization_id VARCHAR NOT NULL, 
	terminated_at VARCHAR, 
	due_date VARCHAR, 
	deadline VARCHAR, 
	PRIMARY KEY (id)
);
INSERT INTO "run" VALUES('11111111-1111-4111-8111-111111111111','test-app','0.1.0','TERMINATED','ALL_ITEMS_PROCESSED',NULL,NULL,'{"sdk": {"tags": ["first"], "note": "\u00c4 note"}}',NULL,'2026-01-02T03:04:05.000000+00:00','local|user','local','2026-01-02T03:05:05.000000+00:00',NULL,NULL);
INSERT INTO "run" VALUES('22222222-2222-4222-8222-222222222222','he-tme','0.1.0','PROCESSING',NULL,NULL,NULL,NULL,NULL,'2026-01-03T03:04:05.000000+00:00','local|user','local',NULL,'2026-01-03T09:04:05.000000+00:00','2099-01-03T09:04:05.000000+00:00');
CREATE INDEX run_submitted ON run (submitted_at);
CREATE INDEX item_of_run ON item (run_id, position);
CREATE INDEX item_state ON item (state);
CREATE INDEX ix_input_artifact_item_id ON input_artifact (item_id);
CREATE INDEX ix_output_artifact_item_id ON output_artifact (item_id);
COMMIT;

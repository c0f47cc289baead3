// `script/typescript-client` makes this file from openapi.json. Do not edit it.

export interface paths {
    "/v1/accounts/{accountGroupId}/audiences/{audienceId}/move-leads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move leads to another audience
         * @description Moves leads from one audience to another: either all of them or, if one cannot be moved, none.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["move_leads"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/audiences/{audienceId}/copy-leads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Copy leads to another audience
         * @description Copies leads from one audience to another: either all of them or, if one cannot be copied, none. The leads stay
         *     in the source.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["copy_leads"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/audiences/{audienceId}/remove-leads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Remove leads from an audience
         * @description Removes leads from an audience: either all of them or, if one is not in it, none. They stay in the account group
         *     and in their other audiences.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["remove_leads"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List account groups
         * @description Lists the account groups that the key may use, oldest first.
         */
        get: operations["list_accounts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/audiences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List audiences
         * @description Lists the audiences, oldest first. The list leaves out audiences that a prospecting job is populating. With
         *     `name` it contains only audiences with exactly this name, and you get a 409 if a job is populating one of them.
         *
         *     Required API permission: `audiences:read`.
         */
        get: operations["list_audiences"];
        put?: never;
        /**
         * Create an audience
         * @description Creates an empty audience.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["create_audience"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/audiences/navigation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get folders and their audiences
         * @description Returns the folders, pinned ones first, with their audiences, and the audiences without a folder. It leaves out
         *     audiences that a prospecting job is populating.
         *
         *     Required API permission: `audiences:read`.
         */
        get: operations["get_navigation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/audiences/folders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create a folder
         * @description Creates an empty folder.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["create_folder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/audiences/folders/{folderId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a folder
         * @description Deletes a folder. Its audiences remain, outside any folder.
         *
         *     Required API permission: `audiences:write`.
         */
        delete: operations["delete_folder"];
        options?: never;
        head?: never;
        /**
         * Update a folder
         * @description Renames, pins, unpins or reorders a folder.
         *
         *     Required API permission: `audiences:write`.
         */
        patch: operations["update_folder"];
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/audiences/{audienceId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an audience
         * @description Returns one audience with the exact number of its leads.
         *
         *     Required API permission: `audiences:read`.
         */
        get: operations["get_audience"];
        put?: never;
        post?: never;
        /**
         * Delete an audience
         * @description Deletes an audience. Its leads stay in the account group and in their other audiences.
         *
         *     Required API permission: `audiences:write`.
         */
        delete: operations["delete_audience"];
        options?: never;
        head?: never;
        /**
         * Update an audience
         * @description Renames an audience or changes its description.
         *
         *     Required API permission: `audiences:write`.
         */
        patch: operations["update_audience"];
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/audiences/{audienceId}/move-to-folder": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move an audience into a folder
         * @description Moves an audience into a folder. It leaves the folder that it was in.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["move_to_folder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/audiences/{audienceId}/remove-from-folder": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Remove an audience from its folder
         * @description Removes an audience from its folder.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["remove_from_folder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/audiences/{audienceId}/prospects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the prospects of an audience
         * @description Lists the leads of an audience, or the leads that match all filters. If you follow `nextCursor` to the end, you
         *     get each lead that was in the audience the whole time exactly once.
         *
         *     Required API permission: `prospects:read`.
         */
        get: operations["list_prospects"];
        put?: never;
        /**
         * Add prospects to an audience
         * @description Adds people to the audience. A known person is not duplicated: the service fills empty fields and overwrites
         *     nothing. A person without a LinkedIn profile, an e-mail and a provider id is always a new lead.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["add_prospects"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/audiences/{audienceId}/prospects.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export the prospects of an audience as CSV
         * @description Exports all leads of an audience as CSV. The importer recognizes the column names, and spreadsheets run no
         *     formula from the cells. Custom fields that appear during the export have no column.
         *
         *     Required API permission: `prospects:read`.
         */
        get: operations["export_prospects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/prospects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Find prospects in any audience
         * @description Finds the people of the account group who match all filters, with the audiences that contain them, oldest first.
         *     Without a filter it lists all people, also those in no audience. If you follow `nextCursor` to the end, you get each
         *     person who was there the whole time exactly once.
         *
         *     Required API permission: `prospects:read`.
         */
        get: operations["find_prospects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/prospects/by-provider-id/{providerId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Find prospects by an outside id
         * @description Finds the leads with this external id: none, one or several.
         *
         *     Required API permission: `prospects:read`.
         */
        get: operations["find_by_provider_id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/prospects/{prospectId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a prospect
         * @description Returns a lead and the audiences that contain it.
         *
         *     Required API permission: `prospects:read`.
         */
        get: operations["get_prospect"];
        put?: never;
        post?: never;
        /**
         * Erase a prospect
         * @description Erases a person from the account group: from every audience and, by id, from the move history.
         *
         *     Required API permission: `audiences:write`.
         */
        delete: operations["delete_prospect"];
        options?: never;
        head?: never;
        /**
         * Update a prospect
         * @description Updates the fields of a person. The change applies to every audience.
         *
         *     Required API permission: `audiences:write`.
         */
        patch: operations["update_prospect"];
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/suppressions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List suppressions
         * @description Lists the suppressions, newest first: hash, reason and time.
         *
         *     Required API permission: `prospects:read`.
         */
        get: operations["list_suppressions"];
        put?: never;
        /**
         * Suppress people
         * @description Keeps people from coming into the account group, by e-mail and LinkedIn profile. Imports, additions and jobs
         *     leave them out with the code `SUPPRESSED`. People who are in the account group stay in it: erase them as well.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["suppress_prospects"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/suppressions/{hash}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a suppression
         * @description Removes a suppression. The person may come in again by this identity.
         *
         *     Required API permission: `audiences:write`.
         */
        delete: operations["delete_suppression"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/duplicates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List likely duplicates
         * @description Lists leads that are probably one person, most certain first. The service never merges them by itself. A page may
         *     have fewer groups than `limit`, because each group is checked again: follow `nextCursor` to the end. Leads that were
         *     added or edited in the last seconds may be missing, and during a long import those of its last ten minutes.
         *
         *     Required API permission: `prospects:read`.
         */
        get: operations["list_duplicates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/prospects/{prospectId}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Merge two prospects
         * @description Merges another lead into this one, because both are one person. This lead keeps its values; the other lead fills
         *     its empty fields, hands over its audiences and its identities, and is gone. A merge cannot be undone.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["merge_prospects"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/sales-navigator/lead-lists": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the lead lists of Sales Navigator
         * @description Lists the Sales Navigator lead lists that the prospect provider offers this account group.
         *
         *     Required API permission: `prospecting:read`.
         */
        get: operations["list_lead_lists"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/sales-navigator/saved-searches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the saved searches of Sales Navigator
         * @description Lists the Sales Navigator saved searches that the prospect provider offers this account group.
         *
         *     Required API permission: `prospecting:read`.
         */
        get: operations["list_saved_searches"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/moves": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List moves
         * @description Lists past moves, newest first.
         *
         *     Required API permission: `audiences:read`.
         */
        get: operations["list_moves"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/moves/{moveId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a move
         * @description Returns one past move with the ids of the moved leads.
         *
         *     Required API permission: `audiences:read`.
         */
        get: operations["get_move"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List changes
         * @description Lists the changes of all audiences, newest first, or the changes that match all filters.
         *
         *     Required API permission: `audiences:read`.
         */
        get: operations["list_changes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/changes/{changeId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a change
         * @description Returns one change.
         *
         *     Required API permission: `audiences:read`.
         */
        get: operations["get_change"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/changes/{changeId}/prospects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the prospects of a change
         * @description Lists the leads of a change. A change that is too old, by the settings of the service, lists none.
         *
         *     Required API permissions: `audiences:read`, `prospects:read`.
         */
        get: operations["list_changed_prospects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/changes/{changeId}/replaced-values": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the values that a change has replaced
         * @description Lists the values that an addition with `onKnown` `update` has replaced, lead by lead. A change that is too old,
         *     by the settings of the service, lists none.
         *
         *     Required API permissions: `audiences:read`, `prospects:read`.
         */
        get: operations["list_replaced_values"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/changes/{changeId}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Undo a change
         * @description Undoes a change: either all of its leads or, if one has been changed since, none. The undo is a change, too, and
         *     can be undone. If the change is about more than 10,000 leads, a job does it: GET …/transfers/{jobId} shows it.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["undo_change"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/prospects/{prospectId}/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the changes of a prospect
         * @description Lists the changes of a lead, newest first: how it came into its audiences and left them.
         *
         *     Required API permissions: `audiences:read`, `prospects:read`.
         */
        get: operations["list_prospect_changes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/transfers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List transfers
         * @description Lists the transfers and the undos of large changes, newest first.
         *
         *     Required API permission: `audiences:read`.
         */
        get: operations["list_transfers"];
        put?: never;
        /**
         * Start a transfer
         * @description Moves, copies or removes any number of leads, all of them or none, in the background. Both audiences answer with
         *     a 409 until the job has ended. With `dryRun` the service shows the effect and changes nothing.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["start_transfer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/transfers/{jobId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a transfer
         * @description Returns one transfer, or one undo of a large change, with its progress.
         *
         *     Required API permission: `audiences:read`.
         */
        get: operations["get_transfer"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/transfers/{jobId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a transfer
         * @description Cancels a queued or running transfer, or undo of a large change. If it has changed something already, it takes
         *     that back, and both audiences answer with a 409 until everything is as it was before.
         *
         *     Required API permission: `audiences:write`.
         */
        post: operations["cancel_transfer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List events, or wait for them
         * @description Lists events, oldest first. Each change commits together with its event. If you always continue with
         *     `nextCursor`, you get every event at least once and none is skipped, in an order that is the same for all readers.
         *     With `wait` the answer comes as soon as there is an event. With `Accept: text/event-stream` the events are sent as
         *     they happen, and `Last-Event-ID` continues a stream. Its last message is an `event: refused` with the refusal once
         *     the key is no longer valid.
         *
         *     Required API permission: `audiences:read`.
         */
        get: operations["list_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/prospecting": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List prospecting jobs
         * @description Lists the prospecting jobs, newest first.
         *
         *     Required API permission: `prospecting:read`.
         */
        get: operations["list_prospecting"];
        put?: never;
        /**
         * Start a prospecting job
         * @description Starts a job that fills an audience in the background. Requests for the audience get a 409 until the job ends.
         *
         *     Required API permission: `prospecting:write`.
         */
        post: operations["start_prospecting"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/prospecting/{jobId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a prospecting job
         * @description Returns one prospecting job with its progress and counts.
         *
         *     Required API permission: `prospecting:read`.
         */
        get: operations["get_prospecting"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/prospecting/{jobId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a prospecting job
         * @description Cancels a queued or running job. The audience keeps its leads and is available immediately.
         *
         *     Required API permission: `prospecting:write`.
         */
        post: operations["cancel_prospecting"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/prospecting/{jobId}/rejected.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export the rejected rows of a prospecting job as CSV
         * @description Exports the rows that did not become leads as CSV: line, code and reason, then the original row. The service
         *     keeps the first 100,000 rows and notes of a job until 30 days after the job ended.
         *
         *     Required API permission: `prospecting:read`.
         */
        get: operations["export_rejected"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Upload a file
         * @description Stores a file for a prospecting job of the type csv_upload. Send the file itself as the body, plain or compressed
         *     with gzip. If the connection breaks, send the whole file again: the service keeps no part of it.
         *
         *     Required API permission: `prospecting:write`.
         */
        post: operations["create_upload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/uploads/{uploadId}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Preview an upload
         * @description Shows what an import would make of an upload, and writes nothing: the columns and their use, the first rows as
         *     prospects, and an estimate from the first 10,000 rows and the people known. Send the same `mapping`, `sheet` and so
         *     on as to the job.
         *
         *     Required API permission: `prospecting:read`.
         */
        post: operations["preview_upload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List webhooks
         * @description Lists the webhooks, oldest first.
         *
         *     Required API permission: `webhooks:read`.
         */
        get: operations["list_webhooks"];
        put?: never;
        /**
         * Create a webhook
         * @description Creates a webhook. The answer contains its secret, which is shown only this once.
         *
         *     Required API permission: `webhooks:write`.
         */
        post: operations["create_webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/webhooks/{webhookId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a webhook
         * @description Returns one webhook, without its secret.
         *
         *     Required API permission: `webhooks:read`.
         */
        get: operations["get_webhook"];
        put?: never;
        post?: never;
        /**
         * Delete a webhook
         * @description Deletes a webhook with its deliveries.
         *
         *     Required API permission: `webhooks:write`.
         */
        delete: operations["delete_webhook"];
        options?: never;
        head?: never;
        /**
         * Update a webhook
         * @description Changes, pauses or continues a webhook. Events that occur while it is paused or disabled are sent when it is
         *     active again, as long as they are kept.
         *
         *     Required API permission: `webhooks:write`.
         */
        patch: operations["update_webhook"];
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/webhooks/{webhookId}/rotate-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rotate the secret of a webhook
         * @description Gives a webhook a new secret, which is shown only this once. For 24 hours each message is signed with the old
         *     secret, too.
         *
         *     Required API permission: `webhooks:write`.
         */
        post: operations["rotate_secret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/webhooks/{webhookId}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Test a webhook
         * @description Sends a signed message of the type `webhook.test` now, and waits for the answer of the receiver. It is sent also
         *     to a webhook that is paused or disabled, and it is not in the list of deliveries.
         *
         *     Required API permission: `webhooks:write`.
         */
        post: operations["test_webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/webhooks/{webhookId}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the deliveries of a webhook
         * @description Lists the events that were sent to a webhook, the latest events first. An event is in the list from its first
         *     request on, and as long as it is kept.
         *
         *     Required API permission: `webhooks:read`.
         */
        get: operations["list_deliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a delivery again
         * @description Sends the event of a delivery again as soon as possible, with the same `webhook-id`.
         *
         *     Required API permission: `webhooks:write`.
         */
        post: operations["redeliver"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountGroupId}/webhooks/{webhookId}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send events again
         * @description Sends all events that occurred in this time, and are kept, again to a webhook, with the same `webhook-id` as
         *     before. It adds to a replay that is not finished.
         *
         *     Required API permission: `webhooks:write`.
         */
        post: operations["replay_events"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface webhooks {
    "audience.created": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An audience was created. */
        post: operations["on_audience_created"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "audience.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An audience got another name, description or folder. */
        post: operations["on_audience_updated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "audience.deleted": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An audience was deleted. */
        post: operations["on_audience_deleted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "leads.moved": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Leads were moved from one audience to another. */
        post: operations["on_leads_moved"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "leads.copied": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Leads of one audience were added to another one. */
        post: operations["on_leads_copied"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "leads.removed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Leads were removed from an audience. */
        post: operations["on_leads_removed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "leads.added": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** People were added to an audience by a request, a job or an import. */
        post: operations["on_leads_added"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "change.undone": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A change was undone. */
        post: operations["on_change_undone"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "prospect.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A person was edited. */
        post: operations["on_prospect_updated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "prospect.erased": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A person was erased. */
        post: operations["on_prospect_erased"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "prospect.merged": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Two people were merged. */
        post: operations["on_prospect_merged"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "job.started": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A job was accepted, and waits for a worker. */
        post: operations["on_job_started"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "job.completed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A job has done all of its work. */
        post: operations["on_job_completed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "job.failed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A job has failed. A prospecting job keeps what it has done, and a transfer or an undo changes nothing. */
        post: operations["on_job_failed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "job.cancelled": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A job was cancelled. A prospecting job keeps what it has done, and a transfer or an undo changes nothing. */
        post: operations["on_job_cancelled"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "webhook.disabled": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A webhook was disabled by the service. The other webhooks get this event. */
        post: operations["on_webhook_disabled"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "webhook.test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A client tests a webhook. This is in no feed. */
        post: operations["on_webhook_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface components {
    schemas: {
        /** @description An account group, the scope of every other request. */
        Account: {
            id: string;
            name: string;
            /** Format: date-time */
            createdAt: string;
        };
        /** @description A page of account groups. */
        AccountList: {
            items: components["schemas"]["Account"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of the account groups that the key may use, oldest first. */
        AccountListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["AccountList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description The people to add. */
        AddProspects: {
            prospects: components["schemas"]["NewProspect"][];
            /**
             * @description How known people change. `fill`: values for empty fields only. `update`: newer values replace others, and the record of changes has the replaced ones. `skip`: not at all.
             * @default fill
             */
            onKnown?: components["schemas"]["OnKnown"];
        };
        /** @description A named set of leads. */
        Audience: {
            id: string;
            name: string;
            type: components["schemas"]["AudienceType"];
            description: string | null;
            folderId: string | null;
            /** @description The exact number of leads in the audience. */
            prospectCount: number;
            /** Format: date-time */
            createdAt: string;
        };
        /** @description An audience was created. */
        AudienceCreated: {
            id: string;
            /** @constant */
            type: "audience.created";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["AudienceFacts"];
        };
        /** @description An audience was deleted. */
        AudienceDeleted: {
            id: string;
            /** @constant */
            type: "audience.deleted";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["DeletedAudienceFacts"];
        };
        /** @description An audience that was created. */
        AudienceFacts: {
            audienceId: string;
            name: string;
            type: components["schemas"]["AudienceType"];
            prospectCount: number;
        };
        /** @description Groups audiences of a compatible type. */
        AudienceFolder: {
            id: string;
            name: string;
            /** @description A monitoring folder accepts monitoring audiences, an on_demand folder all others. */
            audienceType: components["schemas"]["FolderType"];
            isPinned: boolean;
            /** @description Its position among the folders, from 0. */
            position: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        /** @description One folder. */
        AudienceFolderSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["AudienceFolder"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description Both audiences after the copy. */
        AudienceLeadCopy: {
            sourceAudience: components["schemas"]["Audience"];
            targetAudience: components["schemas"]["Audience"];
            /** @description Number of distinct leads that are new in the target. */
            copiedCount: number;
            /** @description Number of leads that were in the target before. */
            alreadyInTargetCount: number;
        };
        /** @description The leads were copied. */
        AudienceLeadCopySuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["AudienceLeadCopy"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description Both audiences after the move. */
        AudienceLeadMove: {
            sourceAudience: components["schemas"]["Audience"];
            targetAudience: components["schemas"]["Audience"];
            /** @description Number of distinct leads that left the source. */
            movedCount: number;
        };
        /** @description The leads were moved. */
        AudienceLeadMoveSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["AudienceLeadMove"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description The audience after the removal. */
        AudienceLeadRemoval: {
            audience: components["schemas"]["Audience"];
            /** @description Number of distinct leads that left the audience. */
            removedCount: number;
        };
        /** @description The leads were removed. */
        AudienceLeadRemovalSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["AudienceLeadRemoval"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description A page of audiences. */
        AudienceList: {
            items: components["schemas"]["Audience"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of audiences, oldest first. */
        AudienceListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["AudienceList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description Everything you need to show the list of audiences. */
        AudienceNavigation: {
            folders: components["schemas"]["FolderWithAudiences"][];
            ungroupedAudiences: components["schemas"]["Audience"][];
        };
        /** @description Folders with their audiences, and audiences without a folder. */
        AudienceNavigationSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["AudienceNavigation"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description A page of an audience's prospects. */
        AudienceProspectListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ProspectList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description One audience. */
        AudienceSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["Audience"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /**
         * @description How an audience was created: by a client (the first two) or by a prospecting job with this source.
         * @enum {string}
         */
        AudienceType: "on_demand" | "monitoring" | "linkedin_search" | "sales_navigator" | "post_commenters" | "url_upload" | "csv_upload";
        /** @description An audience got another name, description or folder. */
        AudienceUpdated: {
            id: string;
            /** @constant */
            type: "audience.updated";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["UpdatedAudienceFacts"];
        };
        /** @description The record of one change: which leads came into or left which audience, by whom and when. */
        Change: {
            id: string;
            kind: components["schemas"]["ChangeKind"];
            sourceAudienceId: string | null;
            targetAudienceId: string | null;
            /** @description Number of distinct leads that the change is about. */
            leadCount: number;
            /** @description Number of these leads that were in the target before. */
            alreadyInTargetCount: number;
            /** Format: date-time */
            changedAt: string;
            apiKeyId: string | null;
            jobId: string | null;
            undoesChangeId: string | null;
            undoneByChangeId: string | null;
        };
        /**
         * @description The operation that made a change.
         * @enum {string}
         */
        ChangeKind: "move" | "copy" | "remove" | "add" | "import" | "undo" | "erase" | "merge" | "delete_audience";
        /** @description A page of changes. */
        ChangeList: {
            items: components["schemas"]["Change"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of changes, newest first. */
        ChangeListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ChangeList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description One change. */
        ChangeSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["Change"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description The change that has undone the other one. */
        ChangeUndo: {
            change: components["schemas"]["Change"];
            /** @description Number of leads that are as they were before the change. */
            undoneCount: number;
            /** @description Number of leads that stay as they are: erased, or changed since. */
            skippedCount: number;
            /** @description Number of known people who keep values of the undone import: in fields that were empty, or that were edited since. Null for other changes. */
            keptEdits: number | null;
        };
        /** @description The change was undone. */
        ChangeUndoSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ChangeUndo"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description A change was undone. */
        ChangeUndone: {
            id: string;
            /** @constant */
            type: "change.undone";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["UndoFacts"];
        };
        /** @description A lead of a change. The id of an erased lead is 24 zeros, and its name null. */
        ChangedProspect: {
            prospectId: string;
            /** @description Whether the lead was in the target before. */
            wasInTarget: boolean;
            name: string | null;
        };
        /** @description A page of the leads of a change. */
        ChangedProspectList: {
            items: components["schemas"]["ChangedProspect"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of the leads of a change. */
        ChangedProspectListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ChangedProspectList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description The person's employer. */
        Company: {
            name: string | null;
            linkedinIdentifier: string | null;
            linkedinUrl: string | null;
            industry: string | null;
            website: string | null;
        };
        /** @description The leads to copy and their target. */
        CopyLeads: {
            /** @description ID of the audience that receives the leads. */
            targetAudienceId: string;
            /** @description IDs of the leads to copy. Repeated ids count once. */
            leadIds: string[];
        };
        /** @description An audience with its exact count afterwards. */
        CountedAudience: {
            id: string;
            prospectCount: number;
        };
        /** @description A new audience. */
        CreateAudience: {
            name: string;
            /** @description on_demand or monitoring. Prospecting jobs create the others. */
            type: components["schemas"]["AudienceType"];
            description?: string | null;
        };
        /** @description A new folder, after the existing ones. */
        CreateFolder: {
            name: string;
            audienceType: components["schemas"]["FolderType"];
        };
        /** @description A new webhook. It gets the events from now on. */
        CreateWebhook: {
            /** @description Where the service sends the events: an https URL that leads to public addresses. */
            url: string;
            /** @description The events to send. An empty list means all. */
            types?: components["schemas"]["EventType"][];
            /** @description Send only events about these audiences. An empty list means all events. */
            audienceIds?: string[];
            /** @default  */
            description?: string;
        };
        /** @description The item is deleted. */
        Deleted: {
            /** @description Always true. */
            deleted: boolean;
        };
        /** @description An audience that was deleted, with the number of its leads, which stay in the account group. */
        DeletedAudienceFacts: {
            audienceId: string;
            name: string;
            type: components["schemas"]["AudienceType"];
            leadCount: number;
            changeId: string;
        };
        /** @description The item was deleted. */
        DeletedSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["Deleted"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description An event on its way to a webhook. It has the id of the event. */
        Delivery: {
            id: string;
            eventId: string;
            type: components["schemas"]["EventType"];
            /** @description pending: it has failed, and will be sent again at nextAttemptAt. */
            status: components["schemas"]["DeliveryStatus"];
            /** @description The last 20 requests, oldest first. */
            attempts: components["schemas"]["DeliveryAttempt"][];
            nextAttemptAt: string | null;
        };
        /** @description One request to the receiver. */
        DeliveryAttempt: {
            /** Format: date-time */
            at: string;
            /** @description The status of the receiver, null without an answer. */
            statusCode: number | null;
            durationMs: number;
            /** @description Null if the receiver answered 2xx in time, otherwise a code. */
            error: string | null;
        };
        /** @description A page of deliveries. */
        DeliveryList: {
            items: components["schemas"]["Delivery"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of deliveries, of the latest events first. */
        DeliveryListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["DeliveryList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /**
         * @description PENDING: it failed and will be retried. FAILED: the last retry failed, too.
         * @enum {string}
         */
        DeliveryStatus: "pending" | "delivered" | "failed";
        /** @description One delivery. */
        DeliverySuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["Delivery"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /**
         * @description GONE: the receiver answered 410. FAILING: no delivery has succeeded for five days.
         * @enum {string}
         */
        DisabledReason: "gone" | "failing";
        /** @description A webhook that the service has disabled, because its receiver did not take its events. */
        DisabledWebhookFacts: {
            webhookId: string;
            reason: components["schemas"]["DisabledReason"];
        };
        /** @description Leads that are probably one person. */
        DuplicateGroup: {
            /** @description Oldest first. Of a large group, the 20 oldest. */
            prospects: components["schemas"]["KnownProspect"][];
            /** @description The value that they have in common. */
            reason: components["schemas"]["DuplicateReason"];
        };
        /** @description A page of groups. */
        DuplicateGroupList: {
            items: components["schemas"]["DuplicateGroup"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of likely duplicates, most certain first. */
        DuplicateListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["DuplicateGroupList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /**
         * @description The value that the leads have in common, most certain first.
         * @enum {string}
         */
        DuplicateReason: "email" | "name_and_company" | "phone" | "linkedin";
        /** @description A job that has ended. A transfer or an undo also reports its audiences. */
        EndedJobFacts: {
            jobId: string;
            kind: components["schemas"]["JobKind"];
            audienceIds: string[];
            counts: components["schemas"]["JobNumbers"];
            /**
             * @description The audiences of a transfer or an undo that exist. Their counts may differ from those before, also if the job has changed nothing, because people may have been erased during the job. Other jobs have none.
             * @default null
             */
            audiences?: components["schemas"]["CountedAudience"][] | null;
        };
        /** @description A person who was erased. Remove what you keep about this id. */
        ErasedFacts: {
            prospectId: string;
            /** @description The audiences that the person was in, without those that a transfer or an undo is changing: the end of that job reports their counts. */
            audiences: components["schemas"]["CountedAudience"][];
            audienceCount: number;
            changeId: string;
        };
        /** @description Why the service refused the request. Some codes have additional fields. */
        ErrorDetail: {
            /** @description A stable code for programs. */
            code: string;
            /** @description The problem. */
            message: string;
            /** @description How to fix it. */
            details: string;
        } & {
            [key: string]: unknown;
        };
        /** @description Every error except a 400. */
        ErrorResponse: {
            /** @description Always false. */
            success: boolean;
            /**
             * @description Always null.
             * @constant
             */
            data: unknown;
            traceId: string;
            error: components["schemas"]["ErrorDetail"];
        };
        /** @description A change, reported after its commit. `data` depends on `type`: see the webhooks of this document. */
        Event: {
            id: string;
            type: components["schemas"]["EventType"];
            /** Format: date-time */
            timestamp: string;
            /** @description Ids, names of audiences and numbers. */
            data: {
                [key: string]: unknown;
            };
        };
        /** @description Events, oldest first. `nextCursor` continues after them, also if there are none. */
        EventList: {
            items: components["schemas"]["Event"][];
            nextCursor: string;
            /** @description Whether there are more already. If not, send `wait`. */
            hasMore: boolean;
        };
        /** @description Events, oldest first. */
        EventListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["EventList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /**
         * @description The closed list of events.
         * @enum {string}
         */
        EventType: "audience.created" | "audience.updated" | "audience.deleted" | "leads.moved" | "leads.copied" | "leads.removed" | "leads.added" | "change.undone" | "prospect.updated" | "prospect.erased" | "prospect.merged" | "job.started" | "job.completed" | "job.failed" | "job.cancelled" | "webhook.disabled";
        /** @description A job that has failed. The job itself has the message of the error. */
        FailedJobFacts: {
            jobId: string;
            kind: components["schemas"]["JobKind"];
            audienceIds: string[];
            counts: components["schemas"]["JobNumbers"];
            /**
             * @description The audiences of a transfer or an undo that exist. Their counts may differ from those before, also if the job has changed nothing, because people may have been erased during the job. Other jobs have none.
             * @default null
             */
            audiences?: components["schemas"]["CountedAudience"][] | null;
            errorCode: string;
        };
        /**
         * @description The audiences that a folder accepts: monitoring audiences, or all others.
         * @enum {string}
         */
        FolderType: "on_demand" | "monitoring";
        /** @description A folder with the audiences in it, oldest first. */
        FolderWithAudiences: {
            id: string;
            name: string;
            /** @description A monitoring folder accepts monitoring audiences, an on_demand folder all others. */
            audienceType: components["schemas"]["FolderType"];
            isPinned: boolean;
            /** @description Its position among the folders, from 0. */
            position: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            audiences: components["schemas"]["Audience"][];
        };
        /**
         * @description The effect of the job on the leads. `undo`: it undoes `undoesChangeId`.
         * @enum {string}
         */
        JobAction: "move" | "copy" | "remove" | "undo";
        /** @description A job was cancelled. A prospecting job keeps what it has done, and a transfer or an undo changes nothing. */
        JobCancelled: {
            id: string;
            /** @constant */
            type: "job.cancelled";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["EndedJobFacts"];
        };
        /** @description A job has done all of its work. */
        JobCompleted: {
            id: string;
            /** @constant */
            type: "job.completed";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["EndedJobFacts"];
        };
        /** @description A job and its counts. The leads that it has added are in a `leads.added`, which comes before its end. */
        JobFacts: {
            jobId: string;
            kind: components["schemas"]["JobKind"];
            audienceIds: string[];
            counts: components["schemas"]["JobNumbers"];
        };
        /** @description A job has failed. A prospecting job keeps what it has done, and a transfer or an undo changes nothing. */
        JobFailed: {
            id: string;
            /** @constant */
            type: "job.failed";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["FailedJobFacts"];
        };
        /**
         * @description The purpose of a job. A worker claims only the kinds of its own version, so the next version can add a kind while
         *     this one is running.
         * @enum {string}
         */
        JobKind: "prospecting" | "transfer" | "undo";
        /** @description The counts of a job so far. */
        JobNumbers: {
            read: number;
            created: number;
            matched: number;
            added: number;
            alreadyInAudience: number;
            rejected: number;
            emailsFound: number;
        };
        /** @description A job was accepted, and waits for a worker. */
        JobStarted: {
            id: string;
            /** @constant */
            type: "job.started";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["JobFacts"];
        };
        /**
         * @description The status of a job. Its audiences answer 409 while the job is queued or running.
         * @enum {string}
         */
        JobStatus: "queued" | "running" | "completed" | "failed" | "cancelled";
        /** @description A lead, whatever its audiences. */
        KnownProspect: {
            firstName: string | null;
            lastName: string | null;
            name: string | null;
            headline: string | null;
            about: string | null;
            photoUrl: string | null;
            linkedinUrl: string | null;
            publicIdentifier: string | null;
            title: string | null;
            email: string | null;
            phone: string | null;
            location: string | null;
            company: components["schemas"]["Company"];
            customFields: {
                [key: string]: string;
            };
            providerId: string | null;
            id: string;
            /** Format: date-time */
            createdAt: string;
        };
        /** @description A lead and the audiences that contain it, oldest first. */
        Lead: {
            firstName: string | null;
            lastName: string | null;
            name: string | null;
            headline: string | null;
            about: string | null;
            photoUrl: string | null;
            linkedinUrl: string | null;
            publicIdentifier: string | null;
            title: string | null;
            email: string | null;
            phone: string | null;
            location: string | null;
            company: components["schemas"]["Company"];
            customFields: {
                [key: string]: string;
            };
            providerId: string | null;
            id: string;
            /** Format: date-time */
            createdAt: string;
            audiences: components["schemas"]["Audience"][];
        };
        /** @description A page of leads with their audiences. */
        LeadList: {
            items: components["schemas"]["Lead"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of the people of the account group. */
        LeadListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["LeadList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description One lead. */
        LeadSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["Lead"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description People were added to an audience by a request, a job or an import. */
        LeadsAdded: {
            id: string;
            /** @constant */
            type: "leads.added";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["LeadsFacts"];
        };
        /** @description Leads of one audience were added to another one. */
        LeadsCopied: {
            id: string;
            /** @constant */
            type: "leads.copied";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["LeadsFacts"];
        };
        /** @description A change of leads, or one batch of an import from the command line. `changeId` leads to all of its leads. */
        LeadsFacts: {
            changeId: string;
            jobId: string | null;
            sourceAudience: components["schemas"]["ReportedAudience"] | null;
            targetAudience: components["schemas"]["ReportedAudience"] | null;
            leadCount: number;
            /** @description How many of the leads were in the target before. */
            alreadyInTargetCount: number;
            /** @description The first leads, without people who were erased since. */
            leadIds: string[];
        };
        /** @description Leads were moved from one audience to another. */
        LeadsMoved: {
            id: string;
            /** @constant */
            type: "leads.moved";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["LeadsFacts"];
        };
        /** @description Leads were removed from an audience. */
        LeadsRemoved: {
            id: string;
            /** @constant */
            type: "leads.removed";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["LeadsFacts"];
        };
        /** @description The lead that is the same person. */
        MergeProspects: {
            /** @description The lead to merge into the one in the path. It is then gone. */
            prospectId: string;
        };
        /** @description Two people who were one. `mergedProspectId` no longer exists, and `prospectId` stands for both. */
        MergedFacts: {
            prospectId: string;
            /** @description The audiences that the person was in, without those that a transfer or an undo is changing: the end of that job reports their counts. */
            audiences: components["schemas"]["CountedAudience"][];
            audienceCount: number;
            changeId: string;
            mergedProspectId: string;
        };
        /** @description The record of one move. */
        Move: {
            id: string;
            sourceAudienceId: string;
            targetAudienceId: string;
            movedCount: number;
            /** @description Number of moved leads that were already in the target. */
            alreadyInTargetCount: number;
            /** Format: date-time */
            movedAt: string;
            apiKeyId: string | null;
            undoneByMoveId: string | null;
        };
        /** @description The leads to move and their target. */
        MoveLeads: {
            /** @description ID of the audience that receives the leads. */
            targetAudienceId: string;
            /** @description IDs of the leads to move. Repeated ids count once. */
            leadIds: string[];
        };
        /** @description A page of moves. */
        MoveList: {
            items: components["schemas"]["Move"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of past moves, newest first. */
        MoveListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["MoveList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description One move. */
        MoveSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["MoveWithLeads"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description The folder that the audience moves to. */
        MoveToFolder: {
            folderId: string;
        };
        /** @description The record of one move and the ids of the moved leads. */
        MoveWithLeads: {
            id: string;
            sourceAudienceId: string;
            targetAudienceId: string;
            movedCount: number;
            /** @description Number of moved leads that were already in the target. */
            alreadyInTargetCount: number;
            /** Format: date-time */
            movedAt: string;
            apiKeyId: string | null;
            undoneByMoveId: string | null;
            leadIds: string[];
        };
        /** @description The person's employer. */
        NewCompany: {
            name?: string | null;
            linkedinIdentifier?: string | null;
            linkedinUrl?: string | null;
            industry?: string | null;
            website?: string | null;
        };
        /** @description A person to add. The LinkedIn profile, the e-mail or the provider id, in this order, identifies the person. */
        NewProspect: {
            firstName?: string | null;
            lastName?: string | null;
            name?: string | null;
            headline?: string | null;
            about?: string | null;
            photoUrl?: string | null;
            linkedinUrl?: string | null;
            publicIdentifier?: string | null;
            title?: string | null;
            email?: string | null;
            phone?: string | null;
            location?: string | null;
            company?: components["schemas"]["NewCompany"] | null;
            customFields?: {
                [key: string]: string;
            } | null;
            /** @description An id from another system. */
            providerId?: string | null;
        };
        /** @description A prospect that was added, with a remark. `index` is its position in the request, from 0. */
        NotedProspect: {
            index: number;
            code: string;
            message: string;
        };
        /**
         * @description What an addition does with people who are known already. FILL: it fills their empty fields. UPDATE: values of the
         *     source also replace others. SKIP: they stay as they are. All three put them into the audience.
         * @enum {string}
         */
        OnKnown: "fill" | "update" | "skip";
        /** @description How to read the file, as in the job that imports it. */
        PreviewUpload: {
            /** @description Field of a prospect → column of the file, or columns in order: in each row, the first cell that can be used is the value. It overrides the detected columns. */
            mapping?: {
                [key: string]: string | string[];
            } | null;
            /** @description The column that identifies a person without an e-mail or a LinkedIn profile. */
            identityColumn?: string | null;
            /** @description The sheet of a workbook. The default is the first visible one with a header and rows. */
            sheet?: string | null;
            /** @description The encoding, if it is not UTF-8, for example `cp1252`. */
            encoding?: string | null;
            /** @description Detected if omitted. */
            delimiter?: string | null;
            /** @description The number of rows to show. The default is 10. */
            rows?: number | null;
            /**
             * @description How known people change. `fill`: values for empty fields only. `update`: newer values replace others, and the record of changes has the replaced ones. `skip`: not at all.
             * @default fill
             */
            onKnown?: components["schemas"]["OnKnown"];
        };
        /** @description A lead in an audience. */
        Prospect: {
            firstName: string | null;
            lastName: string | null;
            name: string | null;
            headline: string | null;
            about: string | null;
            photoUrl: string | null;
            linkedinUrl: string | null;
            publicIdentifier: string | null;
            title: string | null;
            email: string | null;
            phone: string | null;
            location: string | null;
            company: components["schemas"]["Company"];
            customFields: {
                [key: string]: string;
            };
            providerId: string | null;
            id: string;
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description The time when the lead was added to this audience.
             */
            addedAt: string;
        };
        /** @description A person was erased. */
        ProspectErased: {
            id: string;
            /** @constant */
            type: "prospect.erased";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["ErasedFacts"];
        };
        /** @description A person whose fields were edited. Read the person to see them. */
        ProspectFacts: {
            prospectId: string;
        };
        /** @description The data of a person. A field without a value is null. */
        ProspectFields: {
            firstName: string | null;
            lastName: string | null;
            name: string | null;
            headline: string | null;
            about: string | null;
            photoUrl: string | null;
            linkedinUrl: string | null;
            publicIdentifier: string | null;
            title: string | null;
            email: string | null;
            phone: string | null;
            location: string | null;
            company: components["schemas"]["Company"];
            customFields: {
                [key: string]: string;
            };
            providerId: string | null;
        };
        /** @description A page of prospects. */
        ProspectList: {
            items: components["schemas"]["Prospect"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description The lead that stands for both. */
        ProspectMerge: {
            prospect: components["schemas"]["KnownProspect"];
            /** @description Number of audiences that contain the lead now. */
            audienceCount: number;
        };
        /** @description The leads were merged. */
        ProspectMergeSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ProspectMerge"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description Two people were merged. */
        ProspectMerged: {
            id: string;
            /** @constant */
            type: "prospect.merged";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["MergedFacts"];
        };
        /** @description A person was edited. */
        ProspectUpdated: {
            id: string;
            /** @constant */
            type: "prospect.updated";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["ProspectFacts"];
        };
        /** @description Results so far: read = created + matched + rejected. */
        ProspectingCounts: {
            read: number;
            created: number;
            /** @description Existing leads, which the job changed as `onKnown` requires. */
            matched: number;
            /** @description Leads that are new in the audience. */
            added: number;
            alreadyInAudience: number;
            rejected: number;
            /** @description Rows of the file that are not people: repeated headers and footers. */
            skipped: number;
            /** @description Rows that were imported with a note. `read` contains them. */
            noted: number;
            /** @description How many of the matched rows have a value other than the known one. */
            differing: number;
            /** @description How many of the rejected rows are of suppressed people. */
            suppressed: number;
            emailsFound: number;
        };
        /** @description A job in the list. `type` is its source. */
        ProspectingJob: {
            jobId: string;
            type: components["schemas"]["AudienceType"];
            status: components["schemas"]["JobStatus"];
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        /** @description A job that was cancelled. */
        ProspectingJobCancel: {
            jobId: string;
            /** @constant */
            status: "cancelled";
        };
        /** @description The prospecting job was cancelled. */
        ProspectingJobCancelSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ProspectingJobCancel"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description Why the job failed. */
        ProspectingJobError: {
            code: string;
            message: string;
        };
        /** @description A page of jobs. */
        ProspectingJobList: {
            items: components["schemas"]["ProspectingJob"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of the prospecting jobs, newest first. */
        ProspectingJobListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ProspectingJobList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description A job that was queued. */
        ProspectingJobStart: {
            jobId: string;
            /** @description The audience that the job fills. */
            audienceId: string;
            status: components["schemas"]["JobStatus"];
            /** Format: date-time */
            createdAt: string;
        };
        /** @description The prospecting job was started. */
        ProspectingJobStartSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ProspectingJobStart"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description The state of one job. */
        ProspectingJobStatus: {
            jobId: string;
            /** @constant */
            type: "prospecting";
            /** @description The source, which the list of jobs calls `type`. */
            sourceType: components["schemas"]["AudienceType"];
            status: components["schemas"]["JobStatus"];
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            stages: components["schemas"]["ProspectingStages"];
            error: components["schemas"]["ProspectingJobError"] | null;
            audienceId: string;
            counts: components["schemas"]["ProspectingCounts"];
            /** @description The columns of the file. Null for other sources. */
            plan: components["schemas"]["ProspectingPlannedColumn"][] | null;
        };
        /** @description One prospecting job. */
        ProspectingJobStatusSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ProspectingJobStatus"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description A column of the file, and what the job makes of it. */
        ProspectingPlannedColumn: {
            name: string;
            /** @description The field of a person that the column feeds. */
            field: string | null;
            /**
             * @description Why: `mapped` by you, a known `spelling`, a known name in `parts`, the `content` of the cells. A `custom` column is kept under its own name, and an `ignored` one has the reasons of an earlier import.
             * @enum {string}
             */
            how: "mapped" | "spelling" | "parts" | "content" | "custom" | "ignored";
        };
        /** @description The progress of one stage. */
        ProspectingStage: {
            status: components["schemas"]["StageStatus"];
            /** @description From 0 to 1. It never decreases. */
            progress: number;
        };
        /** @description The import of people, then the search for their e-mails. */
        ProspectingStages: {
            import: components["schemas"]["ProspectingStage"];
            enrichment: components["schemas"]["ProspectingStage"];
        };
        /** @description The numbers of prospects that were created, matched or rejected, and of leads that are new in this audience. */
        ProspectsAdded: {
            created: number;
            matched: number;
            added: number;
            alreadyInAudience: number;
            rejected: components["schemas"]["RejectedProspect"][];
            /**
             * @description How many of the matched prospects have a value other than the known one. Not there if none.
             * @default 0
             */
            differing?: number;
            /**
             * @description How many of the rejected prospects are suppressed. Not there if none.
             * @default 0
             */
            suppressed?: number;
            /**
             * @description Remarks on added prospects. Not there if none.
             * @default []
             */
            notes?: components["schemas"]["NotedProspect"][];
        };
        /** @description The prospects were added. */
        ProspectsAddedSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ProspectsAdded"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description The suppressions of the identities, each once, in the order of the request. */
        ProspectsSuppressed: {
            /** @description How many of them are new. */
            added: number;
            suppressions: components["schemas"]["Suppression"][];
            /** @description The people without an identity that can be used. */
            rejected: components["schemas"]["RejectedProspect"][];
        };
        /** @description The people were suppressed. */
        ProspectsSuppressedSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ProspectsSuppressed"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description A lead with the external id. `prospectId` and `personId` are the same, because a person is one lead. */
        ProviderIdMatch: {
            prospectId: string;
            personId: string;
            publicIdentifier: string | null;
            linkedinUrl: string | null;
            name: string | null;
            companyName: string | null;
            title: string | null;
        };
        /** @description Leads with this external id: none, one or several. The service never chooses between several. */
        ProviderIdResolution: {
            providerId: string;
            /** @enum {string} */
            resolution: "none" | "unique" | "ambiguous";
            /** @description At most 100. */
            matches: components["schemas"]["ProviderIdMatch"][];
        };
        /** @description The leads with this external id. */
        ProviderIdResolutionSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ProviderIdResolution"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description A prospect that was not added, and the reason. `index` is its position in the request, from 0. */
        RejectedProspect: {
            index: number;
            code: string;
            message: string;
        };
        /** @description The leads to remove. */
        RemoveLeads: {
            /** @description IDs of the leads to remove. Repeated ids count once. */
            leadIds: string[];
        };
        /** @description A value of a known person that the change has replaced. */
        ReplacedValue: {
            prospectId: string;
            /** @description The name of the field as in exports, such as `company.name` or `customFields.Team`. */
            field: string;
            /** @description The value before. Null if an undo has brought a value back. */
            oldValue: string | null;
            /** @description The value after. Null if it was removed, because it contradicts a new one. */
            newValue: string | null;
        };
        /** @description A page of replaced values. */
        ReplacedValueList: {
            items: components["schemas"]["ReplacedValue"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of the values that a change has replaced. */
        ReplacedValueListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["ReplacedValueList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description The events to send again: all that are kept and occurred in this time. */
        ReplayEvents: {
            /**
             * Format: date-time
             * @description The earliest time.
             */
            from: string;
            /** @description The latest time. Null or left out: now. */
            to?: string | null;
        };
        /** @description An audience of a change, with its name and its exact count as the change left them. */
        ReportedAudience: {
            id: string;
            name: string;
            prospectCount: number;
        };
        /** @description A lead list or a saved search of the prospect provider. */
        SalesNavigatorEntry: {
            /** @description The value for `leadListId` or `savedSearchId` of a prospecting job. */
            id: string;
            name: string;
            /** @description Number of its leads, or null if the provider does not report it. */
            leadCount: number | null;
        };
        /** @description A page of lead lists or saved searches. */
        SalesNavigatorEntryList: {
            items: components["schemas"]["SalesNavigatorEntry"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of lead lists or saved searches, in the provider's order. A page may have fewer than `limit`. */
        SalesNavigatorEntryListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["SalesNavigatorEntryList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /**
         * @description The progress of one stage of a job. SKIPPED: it was not requested, or the job ended before it began.
         * @enum {string}
         */
        StageStatus: "pending" | "running" | "completed" | "failed" | "cancelled" | "skipped";
        /** @description Imports people from an uploaded file. */
        StartCsvUpload: {
            /** @description Field of a prospect → column of the file, or columns in order: in each row, the first cell that can be used is the value. It overrides the detected columns. */
            mapping?: {
                [key: string]: string | string[];
            } | null;
            /** @description The column that identifies a person without an e-mail or a LinkedIn profile. */
            identityColumn?: string | null;
            /** @description The sheet of a workbook. The default is the first visible one with a header and rows. */
            sheet?: string | null;
            /** @description The encoding, if it is not UTF-8, for example `cp1252`. */
            encoding?: string | null;
            /** @description Detected if omitted. */
            delimiter?: string | null;
            audience: components["schemas"]["TargetAudience"];
            /**
             * @description Whether to look for e-mails after the import. Requires a prospect provider.
             * @default false
             */
            searchEmails?: boolean;
            /** @description Maximum number of prospects. The default is the limit of the account group, which is also the maximum. Uploads ignore it. */
            maxResults?: number | null;
            /**
             * @description How known people change. `fill`: values for empty fields only. `update`: newer values replace others, and the record of changes has the replaced ones. `skip`: not at all.
             * @default fill
             */
            onKnown?: components["schemas"]["OnKnown"];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "csv_upload";
            /** @description The `uploadId` that POST …/uploads returned. */
            uploadId: string;
        };
        /** @description Imports the people that a LinkedIn search finds, through the prospect provider. */
        StartLinkedInSearch: {
            audience: components["schemas"]["TargetAudience"];
            /**
             * @description Whether to look for e-mails after the import. Requires a prospect provider.
             * @default false
             */
            searchEmails?: boolean;
            /** @description Maximum number of prospects. The default is the limit of the account group, which is also the maximum. Uploads ignore it. */
            maxResults?: number | null;
            /**
             * @description How known people change. `fill`: values for empty fields only. `update`: newer values replace others, and the record of changes has the replaced ones. `skip`: not at all.
             * @default fill
             */
            onKnown?: components["schemas"]["OnKnown"];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "linkedin_search";
            searchUrl: string;
        };
        /** @description Imports the people who commented on a LinkedIn post, through the prospect provider. */
        StartPostCommenters: {
            audience: components["schemas"]["TargetAudience"];
            /**
             * @description Whether to look for e-mails after the import. Requires a prospect provider.
             * @default false
             */
            searchEmails?: boolean;
            /** @description Maximum number of prospects. The default is the limit of the account group, which is also the maximum. Uploads ignore it. */
            maxResults?: number | null;
            /**
             * @description How known people change. `fill`: values for empty fields only. `update`: newer values replace others, and the record of changes has the replaced ones. `skip`: not at all.
             * @default fill
             */
            onKnown?: components["schemas"]["OnKnown"];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "post_commenters";
            postUrl: string;
        };
        /**
         * @description Imports the people of a Sales Navigator saved search or lead list, through the prospect provider. Send exactly
         *     one of `savedSearchId` and `leadListId`.
         */
        StartSalesNavigator: {
            audience: components["schemas"]["TargetAudience"];
            /**
             * @description Whether to look for e-mails after the import. Requires a prospect provider.
             * @default false
             */
            searchEmails?: boolean;
            /** @description Maximum number of prospects. The default is the limit of the account group, which is also the maximum. Uploads ignore it. */
            maxResults?: number | null;
            /**
             * @description How known people change. `fill`: values for empty fields only. `update`: newer values replace others, and the record of changes has the replaced ones. `skip`: not at all.
             * @default fill
             */
            onKnown?: components["schemas"]["OnKnown"];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "sales_navigator";
            savedSearchId?: string;
            leadListId?: string;
        };
        /** @description The change to make. A `remove` has no target, and other actions need one. */
        StartTransfer: {
            /** @description The effect of move-leads, copy-leads or remove-leads. */
            action: components["schemas"]["TransferAction"];
            sourceAudienceId: string;
            targetAudienceId?: string | null;
            select: components["schemas"]["TransferSelection"];
            exclude?: components["schemas"]["TransferExclusion"] | null;
            /** @description Only the first ones, in the order of the list of prospects. */
            limit?: number | null;
            /** @description The size that the selection must have. Send the `count` of a dry run. */
            expectedCount?: number | null;
            /**
             * @description Whether to show the effect and change nothing.
             * @default false
             */
            dryRun?: boolean;
        };
        /** @description Imports people by their LinkedIn profile URLs. The job reports other texts among the rejected rows. */
        StartUrlUpload: {
            audience: components["schemas"]["TargetAudience"];
            /**
             * @description Whether to look for e-mails after the import. Requires a prospect provider.
             * @default false
             */
            searchEmails?: boolean;
            /** @description Maximum number of prospects. The default is the limit of the account group, which is also the maximum. Uploads ignore it. */
            maxResults?: number | null;
            /**
             * @description How known people change. `fill`: values for empty fields only. `update`: newer values replace others, and the record of changes has the replaced ones. `skip`: not at all.
             * @default fill
             */
            onKnown?: components["schemas"]["OnKnown"];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "url_upload";
            profileUrls: string[];
        };
        /** @description The people who must not come into the account group. */
        SuppressProspects: {
            prospects: components["schemas"]["SuppressedProspect"][];
            reason?: string | null;
        };
        /** @description A person to suppress, by one or both identities. Each of them is suppressed by itself. */
        SuppressedProspect: {
            email?: string | null;
            linkedinUrl?: string | null;
        };
        /** @description A suppressed identity. The service keeps a hash of it, and not the identity itself. */
        Suppression: {
            /** @description A keyed hash of the identity. */
            hash: string;
            reason: string | null;
            /** Format: date-time */
            createdAt: string;
        };
        /** @description A page of suppressions. */
        SuppressionList: {
            items: components["schemas"]["Suppression"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of suppressions, newest first. */
        SuppressionListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["SuppressionList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description The audience that the job fills. Send exactly one field: `name` for a new audience, `id` for an existing one. */
        TargetAudience: {
            /** @description Name of a new audience. */
            name?: string;
            /** @description ID of an existing audience. */
            id?: string;
        };
        /** @description The webhook that is tested. */
        TestFacts: {
            webhookId: string;
        };
        /** @description A transfer, or the undo of a change of more than 10,000 leads. */
        Transfer: {
            jobId: string;
            action: components["schemas"]["JobAction"];
            status: components["schemas"]["JobStatus"];
            /**
             * @description The current or last stage. `revert`: it was cancelled or has failed, and takes back what it had done. It stays `running` until everything is as it was before.
             * @enum {string}
             */
            stage: "select" | "apply" | "withdraw" | "revert";
            /** @description The part that is done. It falls only in a `revert`. */
            progress: number;
            sourceAudienceId: string | null;
            targetAudienceId: string | null;
            undoesChangeId: string | null;
            /** @description Number of leads in the selection, 0 until it is made. */
            count: number;
            /** @description Number of these that are done. */
            appliedCount: number;
            /** @description Number of these that were in the target before. */
            alreadyInTargetCount: number;
            /** @description Leads that an undo leaves as they are. */
            skippedCount: number;
            /** @description Known people into whose empty fields an undone import wrote values. These stay. */
            keptEdits: number | null;
            /** @description The change, when the job has completed. Null if no lead was selected. */
            changeId: string | null;
            error: components["schemas"]["TransferError"] | null;
            apiKeyId: string | null;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        /**
         * @description The effect of a transfer on its leads: as `move-leads`, `copy-leads` or `remove-leads` have it.
         * @enum {string}
         */
        TransferAction: "move" | "copy" | "remove";
        /** @description The transfer after the request: cancelled, or still running to take back what it had done. */
        TransferCancel: {
            jobId: string;
            status: components["schemas"]["JobStatus"];
        };
        /** @description The transfer was cancelled, or will be when everything is as it was before. */
        TransferCancelSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["TransferCancel"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description Why the job failed. Nothing was changed. The other fields depend on the code, and are null without it. */
        TransferError: {
            code: string;
            message: string;
            /** @description SELECTION_CHANGED: the size of the selection. */
            count: number | null;
            /** @description CHANGED_SINCE: the number of leads that are changed since. */
            leadCount: number | null;
            /** @description CHANGED_SINCE: the first 100 of them. */
            leadIds: string[] | null;
        };
        /** @description Leads to leave out of the selection. They need not be in it. */
        TransferExclusion: {
            leadIds: string[];
        };
        /**
         * @description The members of the source that match all conditions, of which there is at least one. The first six work as
         *     in the list of prospects.
         */
        TransferFilter: {
            /** @description Words, as in the list of prospects. */
            q?: string | null;
            /** @description The same in the company's name. */
            company?: string | null;
            /** @description The same in the title. */
            title?: string | null;
            hasEmail?: boolean | null;
            /** @description Added to the source after this time. */
            addedAfter?: string | null;
            /** @description Added to the source before this time. */
            addedBefore?: string | null;
            /** @description The leads are also in this audience. */
            inAudienceId?: string | null;
            /** @description The leads are not in this audience. */
            notInAudienceId?: string | null;
        };
        /** @description A page of transfers. */
        TransferList: {
            items: components["schemas"]["Transfer"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of the transfers and of the undos of large changes, newest first. */
        TransferListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["TransferList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description The effect that the transfer would have now. */
        TransferPreview: {
            /** @description Number of leads in the selection. */
            count: number;
            /** @description Number of these that are in the target already. */
            alreadyInTargetCount: number;
            sourceProspectCountAfter: number;
            /** @description Null without a target. */
            targetProspectCountAfter: number | null;
            /** @description The first leads of the selection, as members of the source. Empty if the key lacks the permission `prospects:read`. */
            sample: components["schemas"]["Prospect"][];
        };
        /** @description The effect of the transfer, for a dry run. */
        TransferPreviewSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["TransferPreview"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /**
         * @description The leads of the transfer. Send exactly one field: every member of the source, the listed ones, or those that
         *     match a filter.
         */
        TransferSelection: {
            /** @description Always true. */
            all?: boolean;
            /** @description Repeated ids count once. */
            leadIds?: string[];
            filter?: components["schemas"]["TransferFilter"];
        };
        /** @description A job that was queued, or that has completed because the selection is empty. */
        TransferStart: {
            jobId: string;
            status: components["schemas"]["JobStatus"];
            /** Format: date-time */
            createdAt: string;
        };
        /** @description The job was started. GET …/transfers/{jobId} shows its progress. */
        TransferStartSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["TransferStart"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description One transfer, or one undo of a large change. */
        TransferSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["Transfer"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description How to undo. Without a body, nothing is undone if one of the leads has been changed since. */
        UndoChange: {
            /**
             * @description Whether to leave leads that have been changed since as they are, and undo the rest.
             * @default false
             */
            skipChanged?: boolean;
        };
        /** @description A change that was undone. The source is the audience that the leads left again. */
        UndoFacts: {
            changeId: string;
            jobId: string | null;
            sourceAudience: components["schemas"]["ReportedAudience"] | null;
            targetAudience: components["schemas"]["ReportedAudience"] | null;
            leadCount: number;
            /** @description How many of the leads were in the target before. */
            alreadyInTargetCount: number;
            /** @description The first leads, without people who were erased since. */
            leadIds: string[];
            undoneChangeId: string;
        };
        /** @description The fields to change: at least one. */
        UpdateAudience: {
            name?: string;
            /** @description A null clears it. */
            description?: string | null;
        };
        /** @description The person's employer. A null clears a field. */
        UpdateCompany: {
            name?: string | null;
            linkedinIdentifier?: string | null;
            linkedinUrl?: string | null;
            industry?: string | null;
            website?: string | null;
        };
        /** @description The fields to change: at least one. */
        UpdateFolder: {
            name?: string;
            isPinned?: boolean;
            /** @description The new position. The other folders shift, and a position beyond the end means the end. */
            position?: number;
        };
        /** @description The fields to change: at least one. A null clears a field. Custom fields and company change field by field. */
        UpdateLead: {
            firstName?: string | null;
            lastName?: string | null;
            name?: string | null;
            headline?: string | null;
            about?: string | null;
            photoUrl?: string | null;
            linkedinUrl?: string | null;
            publicIdentifier?: string | null;
            title?: string | null;
            email?: string | null;
            phone?: string | null;
            location?: string | null;
            company?: components["schemas"]["UpdateCompany"];
            customFields?: {
                [key: string]: string | null;
            };
            providerId?: string | null;
        };
        /** @description The fields to change: at least one. */
        UpdateWebhook: {
            /** @description Where the service sends the events: an https URL that leads to public addresses. */
            url?: string;
            /** @description The events to send. An empty list means all. */
            types?: components["schemas"]["EventType"][];
            /** @description Send only events about these audiences. An empty list means all events. */
            audienceIds?: string[];
            description?: string;
            /**
             * @description An active webhook continues after the last event that it has handled.
             * @enum {string}
             */
            status?: "active" | "paused";
        };
        /** @description An audience with another name, description or folder. */
        UpdatedAudienceFacts: {
            audienceId: string;
            name: string;
            type: components["schemas"]["AudienceType"];
            prospectCount: number;
            changed: ("name" | "description" | "folderId")[];
        };
        /** @description The result that an import of the file would have. */
        UploadPreview: {
            /** @description csv, xlsx, xlsb, xls, ods or vcard. */
            format: string;
            /** @description The sheets of a workbook, hidden ones too. */
            sheets: string[];
            /** @description The sheet that is read. */
            sheet: string | null;
            encoding: string | null;
            delimiter: string | null;
            /** @description Null if the file has no header. */
            headerLine: number | null;
            /** @description Null if the file is longer than the rows that were read. */
            rowCount: number | null;
            columns: components["schemas"]["UploadPreviewColumn"][];
            rows: components["schemas"]["UploadPreviewRow"][];
            estimate: components["schemas"]["UploadPreviewEstimate"];
        };
        /** @description A column of the file, and what an import makes of it. */
        UploadPreviewColumn: {
            name: string;
            /** @description The first different cells that are not empty, up to three. */
            samples: string[];
            /** @description The field of a person that the column feeds. */
            field: string | null;
            /**
             * @description Why: `mapped` by you, a known `spelling`, a known name in `parts`, the `content` of the cells. A `custom` column is kept under its own name, and an `ignored` one has the reasons of an earlier import.
             * @enum {string}
             */
            how: "mapped" | "spelling" | "parts" | "content" | "custom" | "ignored";
            /** @description Other fields that you could map the column to. */
            alternatives: string[];
        };
        /** @description The result that an import of the first 10,000 rows would have now: read = created + matched + rejected. */
        UploadPreviewEstimate: {
            /** @description The rows on which the estimate is based. */
            read: number;
            created: number;
            /** @description People who are known already. */
            matched: number;
            rejected: number;
            /** @description Rows that are not people: repeated headers and footers. */
            skipped: number;
            /** @description Rows that would be imported with a note. */
            noted: number;
            /** @description Known people who have other values in the file. */
            differing: number;
            /** @description Suppressed people, who are among the rejected ones. */
            suppressed: number;
            /** @description Code → number of rows with it, also of rejected rows. */
            notes: {
                [key: string]: number;
            };
        };
        /** @description The strongest identity of a person, by which an import finds them again. */
        UploadPreviewIdentity: {
            /** @enum {string} */
            field: "linkedinUrl" | "email" | "providerId";
            value: string;
        };
        /** @description A value that is not kept as it was written, or the reason why the row would be rejected. */
        UploadPreviewNote: {
            code: string;
            message: string;
        };
        /** @description A row of the file as an import understands it. `prospect` is null if the row would be rejected. */
        UploadPreviewRow: {
            /** @description The first line of the row in the file, or its row in the sheet. */
            line: number | null;
            prospect: components["schemas"]["ProspectFields"] | null;
            identity: components["schemas"]["UploadPreviewIdentity"] | null;
            notes: components["schemas"]["UploadPreviewNote"][];
        };
        /** @description The result that an import of the file would have. */
        UploadPreviewSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["UploadPreview"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description The stored file. */
        UploadSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["UploadedFile"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /**
         * @description A stored file. Jobs can start with it until `expiresAt`, or until the first of them has brought people in. While
         *     a job reads the file, the service keeps it.
         */
        UploadedFile: {
            uploadId: string;
            /** @description Size of the request body. */
            sizeBytes: number;
            /** @description SHA-256 of the request body, in hex. */
            sha256: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string;
        };
        /** @description All problems in the request, not only the first. */
        ValidationErrorDetail: {
            /** @constant */
            code: "VALIDATION_ERROR";
            message: string;
            details: string;
            violations: components["schemas"]["ViolationShape"][];
        };
        /** @description The error for an invalid request. */
        ValidationErrorResponse: {
            /** @description Always false. */
            success: boolean;
            /**
             * @description Always null.
             * @constant
             */
            data: unknown;
            traceId: string;
            error: components["schemas"]["ValidationErrorDetail"];
        };
        /** @description One problem in the request. */
        ViolationShape: {
            path: string;
            code: string;
            message: string;
        };
        /** @description A receiver of events. */
        Webhook: {
            id: string;
            url: string;
            /** @description The events that it gets. An empty list means all. */
            types: components["schemas"]["EventType"][];
            /** @description The audiences whose events it gets. An empty list means all events. */
            audienceIds: string[];
            description: string;
            /** @description paused: by a client. disabled: by the service, see disabledReason. */
            status: components["schemas"]["WebhookStatus"];
            /** @description gone: the receiver answered 410. failing: no delivery has succeeded for five days. */
            disabledReason: components["schemas"]["DisabledReason"] | null;
            /** Format: date-time */
            createdAt: string;
            lastSuccessAt: string | null;
            /** @description The first failure after the last success, null if there is none. */
            failingSince: string | null;
        };
        /** @description A webhook was disabled by the service. The other webhooks get this event. */
        WebhookDisabled: {
            id: string;
            /** @constant */
            type: "webhook.disabled";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["DisabledWebhookFacts"];
        };
        /** @description A page of webhooks. */
        WebhookList: {
            items: components["schemas"]["Webhook"][];
            nextCursor: string | null;
            hasMore: boolean;
        };
        /** @description A page of webhooks, oldest first. */
        WebhookListSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["WebhookList"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /**
         * @description ACTIVE: gets events. PAUSED: by a client. DISABLED: by the service, because the receiver did not take them. Both
         *     continue where they stopped when a client sets them to active again.
         * @enum {string}
         */
        WebhookStatus: "active" | "paused" | "disabled";
        /** @description One webhook. */
        WebhookSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["Webhook"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description The outcome of the test message. */
        WebhookTest: {
            /** @description The status of the receiver, null without an answer. */
            statusCode: number | null;
            durationMs: number;
            /** @description Null if the receiver answered 2xx in time, otherwise a code. */
            error: string | null;
        };
        /** @description A client tests a webhook. This is in no feed. */
        WebhookTestMessage: {
            id: string;
            /** @constant */
            type: "webhook.test";
            /** Format: date-time */
            timestamp: string;
            data: components["schemas"]["TestFacts"];
        };
        /** @description The test message was sent, with or without success. */
        WebhookTestSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["WebhookTest"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
        /** @description A webhook with its secret. Store the secret now: no other answer contains it. */
        WebhookWithSecret: {
            id: string;
            url: string;
            /** @description The events that it gets. An empty list means all. */
            types: components["schemas"]["EventType"][];
            /** @description The audiences whose events it gets. An empty list means all events. */
            audienceIds: string[];
            description: string;
            /** @description paused: by a client. disabled: by the service, see disabledReason. */
            status: components["schemas"]["WebhookStatus"];
            /** @description gone: the receiver answered 410. failing: no delivery has succeeded for five days. */
            disabledReason: components["schemas"]["DisabledReason"] | null;
            /** Format: date-time */
            createdAt: string;
            lastSuccessAt: string | null;
            /** @description The first failure after the last success, null if there is none. */
            failingSince: string | null;
            /** @description Verifies the signatures, with any library of Standard Webhooks. */
            secret: string;
        };
        /** @description A webhook and its new secret. */
        WebhookWithSecretSuccessResponse: {
            /** @description Always true. */
            success: boolean;
            data: components["schemas"]["WebhookWithSecret"];
            /** @description Always null. */
            error: components["schemas"]["ErrorDetail"] | null;
            traceId: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description Each quota: its name, size (q) and window in seconds (w). Absent if rate limits are off. */
        "RateLimit-Policy": string;
        /** @description For each quota, what is left (r), and in how many seconds it is full again (t). On a 429, t of the exceeded quota is the number of seconds until you can repeat the request. */
        RateLimit: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    move_leads: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The audience. */
                audienceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MoveLeads"];
            };
        };
        responses: {
            /** @description The leads were moved. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceLeadMoveSuccessResponse"];
                };
            };
        };
    };
    copy_leads: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The audience. */
                audienceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CopyLeads"];
            };
        };
        responses: {
            /** @description The leads were copied. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceLeadCopySuccessResponse"];
                };
            };
        };
    };
    remove_leads: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The audience. */
                audienceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RemoveLeads"];
            };
        };
        responses: {
            /** @description The leads were removed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceLeadRemovalSuccessResponse"];
                };
            };
        };
    };
    list_accounts: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the account groups that the key may use, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountListSuccessResponse"];
                };
            };
        };
    };
    list_audiences: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
                /** @description Only audiences with exactly this name. */
                name?: string | null;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of audiences, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceListSuccessResponse"];
                };
            };
        };
    };
    create_audience: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateAudience"];
            };
        };
        responses: {
            /** @description One audience. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceSuccessResponse"];
                };
            };
        };
    };
    get_navigation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Folders with their audiences, and audiences without a folder. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceNavigationSuccessResponse"];
                };
            };
        };
    };
    create_folder: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateFolder"];
            };
        };
        responses: {
            /** @description One folder. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceFolderSuccessResponse"];
                };
            };
        };
    };
    delete_folder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The folder. */
                folderId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The item was deleted. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedSuccessResponse"];
                };
            };
        };
    };
    update_folder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The folder. */
                folderId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateFolder"];
            };
        };
        responses: {
            /** @description One folder. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceFolderSuccessResponse"];
                };
            };
        };
    };
    get_audience: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The audience. */
                audienceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One audience. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceSuccessResponse"];
                };
            };
        };
    };
    delete_audience: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The audience. */
                audienceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The item was deleted. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedSuccessResponse"];
                };
            };
        };
    };
    update_audience: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The audience. */
                audienceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateAudience"];
            };
        };
        responses: {
            /** @description One audience. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceSuccessResponse"];
                };
            };
        };
    };
    move_to_folder: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The audience. */
                audienceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MoveToFolder"];
            };
        };
        responses: {
            /** @description One audience. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceSuccessResponse"];
                };
            };
        };
    };
    remove_from_folder: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The audience. */
                audienceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One audience. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceSuccessResponse"];
                };
            };
        };
    };
    list_prospects: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
                /** @description Words in the name, e-mail, phone, location, company or title, in any order, each also as a part of a word. Case and accents are ignored. */
                q?: string | null;
                /** @description The same in the company's name. */
                company?: string | null;
                /** @description The same in the title. */
                title?: string | null;
                hasEmail?: boolean | null;
                /** @description Added to the audience after this time. */
                addedAfter?: string | null;
                /** @description Added to the audience before this time. */
                addedBefore?: string | null;
                /** @description Leaves out so many prospects first, to jump in a long list. Only without filters. If the list ends before, the page is empty. */
                skip?: number;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The audience. */
                audienceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of an audience's prospects. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceProspectListSuccessResponse"];
                };
            };
        };
    };
    add_prospects: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The audience. */
                audienceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddProspects"];
            };
        };
        responses: {
            /** @description The prospects were added. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProspectsAddedSuccessResponse"];
                };
            };
        };
    };
    export_prospects: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The audience. */
                audienceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The CSV file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": unknown;
                };
            };
        };
    };
    find_prospects: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
                /** @description Words in the name, e-mail, phone, location, company or title, in any order, each also as a part of a word. Case and accents are ignored. */
                q?: string | null;
                /** @description The same in the company's name. */
                company?: string | null;
                /** @description The same in the title. */
                title?: string | null;
                hasEmail?: boolean | null;
                /** @description Exactly this e-mail, in any case. Also finds the people who had it before they were merged or updated. */
                email?: string | null;
                /** @description Exactly this LinkedIn profile, in any spelling of its URL. Also finds the people who had it before they were merged or updated. */
                linkedinUrl?: string | null;
                /** @description Known to the account group since after this time. */
                createdAfter?: string | null;
                /** @description Known to the account group since before this time. */
                createdBefore?: string | null;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the people of the account group. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LeadListSuccessResponse"];
                };
            };
        };
    };
    find_by_provider_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description An id from another system. */
                providerId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The leads with this external id. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderIdResolutionSuccessResponse"];
                };
            };
        };
    };
    get_prospect: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The lead. */
                prospectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One lead. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LeadSuccessResponse"];
                };
            };
        };
    };
    delete_prospect: {
        parameters: {
            query?: {
                /** @description Whether to keep hashes of the person's identities, so that the person cannot come back. */
                suppress?: boolean;
                /** @description The reason of the suppression. Only with `suppress=true`. */
                reason?: string | null;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The lead. */
                prospectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The item was deleted. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedSuccessResponse"];
                };
            };
        };
    };
    update_prospect: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The lead. */
                prospectId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateLead"];
            };
        };
        responses: {
            /** @description One lead. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LeadSuccessResponse"];
                };
            };
        };
    };
    list_suppressions: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of suppressions, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuppressionListSuccessResponse"];
                };
            };
        };
    };
    suppress_prospects: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SuppressProspects"];
            };
        };
        responses: {
            /** @description The people were suppressed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProspectsSuppressedSuccessResponse"];
                };
            };
        };
    };
    delete_suppression: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The hash of the suppression. */
                hash: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The item was deleted. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedSuccessResponse"];
                };
            };
        };
    };
    list_duplicates: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of likely duplicates, most certain first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DuplicateListSuccessResponse"];
                };
            };
        };
    };
    merge_prospects: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The lead. */
                prospectId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MergeProspects"];
            };
        };
        responses: {
            /** @description The leads were merged. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProspectMergeSuccessResponse"];
                };
            };
        };
    };
    list_lead_lists: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of lead lists or saved searches, in the provider's order. A page may have fewer than `limit`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SalesNavigatorEntryListSuccessResponse"];
                };
            };
        };
    };
    list_saved_searches: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of lead lists or saved searches, in the provider's order. A page may have fewer than `limit`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SalesNavigatorEntryListSuccessResponse"];
                };
            };
        };
    };
    list_moves: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of past moves, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MoveListSuccessResponse"];
                };
            };
        };
    };
    get_move: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The move. */
                moveId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One move. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MoveSuccessResponse"];
                };
            };
        };
    };
    list_changes: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
                kind?: components["schemas"]["ChangeKind"] | null;
                /** @description The audience is the source or the target of the change. */
                audienceId?: string | null;
                /** @description The change is about this lead. */
                prospectId?: string | null;
                /** @description Changed after this time. */
                changedAfter?: string | null;
                /** @description Changed before this time. */
                changedBefore?: string | null;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of changes, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangeListSuccessResponse"];
                };
            };
        };
    };
    get_change: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The change. */
                changeId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One change. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangeSuccessResponse"];
                };
            };
        };
    };
    list_changed_prospects: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The change. */
                changeId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the leads of a change. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedProspectListSuccessResponse"];
                };
            };
        };
    };
    list_replaced_values: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The change. */
                changeId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the values that a change has replaced. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplacedValueListSuccessResponse"];
                };
            };
        };
    };
    undo_change: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The change. */
                changeId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["UndoChange"] | null;
            };
        };
        responses: {
            /** @description The change was undone. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangeUndoSuccessResponse"];
                };
            };
            /** @description The job was started. GET …/transfers/{jobId} shows its progress. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferStartSuccessResponse"];
                };
            };
        };
    };
    list_prospect_changes: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The lead. */
                prospectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of changes, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangeListSuccessResponse"];
                };
            };
        };
    };
    list_transfers: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
                /** @description Only transfers with this status. */
                status?: components["schemas"]["JobStatus"] | null;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the transfers and of the undos of large changes, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferListSuccessResponse"];
                };
            };
        };
    };
    start_transfer: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StartTransfer"];
            };
        };
        responses: {
            /** @description The effect of the transfer, for a dry run. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferPreviewSuccessResponse"];
                };
            };
            /** @description The job was started. GET …/transfers/{jobId} shows its progress. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferStartSuccessResponse"];
                };
            };
        };
    };
    get_transfer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The job of the transfer, or of the undo. */
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One transfer, or one undo of a large change. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferSuccessResponse"];
                };
            };
        };
    };
    cancel_transfer: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The job of the transfer, or of the undo. */
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The transfer was cancelled, or will be when everything is as it was before. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferCancelSuccessResponse"];
                };
            };
        };
    };
    list_events: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
                /** @description `start` begins with the oldest event that is kept. Without it and without a cursor, you get the events from now on. */
                from?: string | null;
                /** @description Only these types, separated by commas. */
                types?: string | null;
                /** @description Only events that are about this audience. */
                audienceId?: string | null;
                /** @description How many seconds to wait for an event if there is none yet. */
                wait?: number;
            };
            header?: {
                /** @description For a stream: continues after this event. Browsers send it by themselves. */
                "Last-Event-ID"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventListSuccessResponse"];
                };
            };
        };
    };
    list_prospecting: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
                /** @description Only jobs with this status. */
                status?: components["schemas"]["JobStatus"] | null;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the prospecting jobs, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProspectingJobListSuccessResponse"];
                };
            };
        };
    };
    start_prospecting: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StartCsvUpload"] | components["schemas"]["StartUrlUpload"] | components["schemas"]["StartLinkedInSearch"] | components["schemas"]["StartSalesNavigator"] | components["schemas"]["StartPostCommenters"];
            };
        };
        responses: {
            /** @description The stored answer to an earlier request, repeated after its job has ended. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProspectingJobStartSuccessResponse"];
                };
            };
            /** @description The prospecting job was started. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProspectingJobStartSuccessResponse"];
                };
            };
        };
    };
    get_prospecting: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The prospecting job. */
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One prospecting job. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProspectingJobStatusSuccessResponse"];
                };
            };
        };
    };
    cancel_prospecting: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The prospecting job. */
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The prospecting job was cancelled. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProspectingJobCancelSuccessResponse"];
                };
            };
        };
    };
    export_rejected: {
        parameters: {
            query?: {
                /** @description Whether to add the notes on imported rows, as the file of `leadyard import` does. */
                notes?: boolean;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The prospecting job. */
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The CSV file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": unknown;
                };
            };
        };
    };
    create_upload: {
        parameters: {
            query?: never;
            header?: {
                /** @description The SHA-256 of the body (RFC 9530). The service compares the received body with it. */
                "Content-Digest"?: string;
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        /** @description The file, plain or compressed with gzip: CSV, Excel, OpenDocument or vCard, recognised by its content. The `charset` of the Content-Type is the encoding of a text without a byte order mark. The body may have at most 1 GiB. */
        requestBody: {
            content: {
                "text/csv": string;
                "application/gzip": string;
                "application/x-gzip": string;
                "application/octet-stream": string;
                "text/plain": string;
                "text/tab-separated-values": string;
                "application/vnd.ms-excel": string;
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": string;
                "application/vnd.ms-excel.sheet.macroenabled.12": string;
                "application/vnd.ms-excel.sheet.binary.macroenabled.12": string;
                "application/vnd.oasis.opendocument.spreadsheet": string;
                "text/vcard": string;
                "text/x-vcard": string;
                "text/directory": string;
            };
        };
        responses: {
            /** @description The stored file. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadSuccessResponse"];
                };
            };
        };
    };
    preview_upload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The `uploadId` that POST …/uploads returned. */
                uploadId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PreviewUpload"] | null;
            };
        };
        responses: {
            /** @description The result that an import of the file would have. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadPreviewSuccessResponse"];
                };
            };
        };
    };
    list_webhooks: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of webhooks, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookListSuccessResponse"];
                };
            };
        };
    };
    create_webhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateWebhook"];
            };
        };
        responses: {
            /** @description A webhook and its new secret. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookWithSecretSuccessResponse"];
                };
            };
        };
    };
    get_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The webhook. */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One webhook. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookSuccessResponse"];
                };
            };
        };
    };
    delete_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The webhook. */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The item was deleted. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedSuccessResponse"];
                };
            };
        };
    };
    update_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The webhook. */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateWebhook"];
            };
        };
        responses: {
            /** @description One webhook. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookSuccessResponse"];
                };
            };
        };
    };
    rotate_secret: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The webhook. */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A webhook and its new secret. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookWithSecretSuccessResponse"];
                };
            };
        };
    };
    test_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The webhook. */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The test message was sent, with or without success. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookTestSuccessResponse"];
                };
            };
        };
    };
    list_deliveries: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the previous page. Leave it out for the first page. */
                cursor?: string | null;
                /** @description Maximum number of items on the page. */
                limit?: number;
                /** @description Only deliveries with this status. */
                status?: components["schemas"]["DeliveryStatus"] | null;
            };
            header?: never;
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The webhook. */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of deliveries, of the latest events first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryListSuccessResponse"];
                };
            };
        };
    };
    redeliver: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The webhook. */
                webhookId: string;
                /** @description The delivery. */
                deliveryId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One delivery. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliverySuccessResponse"];
                };
            };
        };
    };
    replay_events: {
        parameters: {
            query?: never;
            header?: {
                /** @description Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service runs the same request with the same key only once and repeats its answer. It refuses other requests with it. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description ID of the account group that the request is limited to. */
                accountGroupId: string;
                /** @description The webhook. */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayEvents"];
            };
        };
        responses: {
            /** @description One webhook. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookSuccessResponse"];
                };
            };
        };
    };
    on_audience_created: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AudienceCreated"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_audience_updated: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AudienceUpdated"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_audience_deleted: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AudienceDeleted"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_leads_moved: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LeadsMoved"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_leads_copied: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LeadsCopied"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_leads_removed: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LeadsRemoved"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_leads_added: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LeadsAdded"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_change_undone: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeUndone"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_prospect_updated: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProspectUpdated"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_prospect_erased: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProspectErased"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_prospect_merged: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProspectMerged"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_job_started: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobStarted"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_job_completed: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobCompleted"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_job_failed: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobFailed"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_job_cancelled: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobCancelled"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_webhook_disabled: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WebhookDisabled"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    on_webhook_test: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WebhookTestMessage"];
            };
        };
        responses: {
            /** @description The receiver has the event. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
}

// @ts-check
// roles.js - the names of roles.

/** @import { Role } from './types.js' */

/** @type {Record<Role, string>} */
export const ROLES = { owner: 'Owner', admin: 'Admin', editor: 'Editor', viewer: 'Viewer' };
